"""`TextModel`: what writes and scores texts, a run or an export; it needs no TensorFlow."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from seqclf.data.spec import DatasetSpec
from seqclf.errors import DataError, ExportError
from seqclf.serving.c_api import INVALID_ARGUMENT, Failure
from seqclf.serving.graph_errors import first_cause
from seqclf.serving.object_arrays import object_array
from seqclf.serving.opened_export import check_kind, open_export
from seqclf.serving.text.options import MAX_TOKENS
from seqclf.serving.text.state_names import output_name

Arrays = dict[str, np.ndarray]


class TextModel(Protocol):
    """A language model that `write` and `scored_files` can ask.

    Attributes:
        spec: the spec of the text that it was trained on.
    """

    spec: DatasetSpec

    def ask(self, signature: str, inputs: Arrays) -> Arrays:
        """Asks a signature; see `TextSignatures`.

        Raises:
            TextRefused: the graph refuses the inputs.
        """


class TextRefused(Exception):  # noqa: N818 - becomes a DataError that shows the text
    """The graph of a model has refused a text."""


@dataclass(frozen=True)
class Started:
    """A prefix that a model has read.

    Attributes:
        probabilities: float32 `[V]`, of each token to be the next one.
        states: the states after the prefix by name, float32 `[1, H]` each.
        tokens: the tokens of the prefix.
        unknown: the tokens of the prefix that are not in the vocabulary, without repetitions.
    """

    probabilities: np.ndarray
    states: Arrays
    tokens: list[bytes]
    unknown: list[bytes]


def start(model: TextModel, prefix: str) -> Started:
    """Gives a model the prefix to read.

    Raises:
        DataError: the prefix has no token, or too many.
    """
    assert model.spec.tokens is not None
    try:
        outputs = model.ask("start", {"prefix": object_array([prefix.encode()])})
    except TextRefused as error:
        raise DataError(
            f"The prefix must have 1 to {MAX_TOKENS:,} {model.spec.tokens.kind}: the model "
            f"predicts each token from those before it. Received: {len(prefix):,} characters, "
            f"{prefix[:40]!r}{' …' * (len(prefix) > 40)}"
        ) from error
    tokens = outputs.pop(output_name("tokens", model.spec.tokens))[0].tolist()
    ids, probabilities = outputs.pop("ids")[0].tolist(), outputs.pop("probabilities")[0]
    del outputs["token_count"]
    unknown = [token for token, index in zip(tokens, ids, strict=True) if not index]
    return Started(probabilities, outputs, tokens, list(dict.fromkeys(unknown)))


class ExportedTextModel:
    """The newest version of an export, or one version of it. It is a `TextModel`.

    Args:
        model: `EXPORT_DIR` or `EXPORT_DIR/<version>`.

    Raises:
        ExportError: there is no export of seqclf in that folder, or it is damaged.
        ConfigError: it is a classifier.
    """

    def __init__(self, model: str | Path):
        opened = open_export(model)
        check_kind(opened.path, opened.spec, text=True)
        self.spec, self._path, self._model = opened.spec, opened.path, opened.model

    def ask(self, signature: str, inputs: Arrays) -> Arrays:
        try:
            return self._model.run(signature, inputs)
        except Failure as error:
            if error.code == INVALID_ARGUMENT:
                raise TextRefused from error
            cause = first_cause(str(error))
            raise ExportError(f"The model {self._path} fails: {cause}") from error

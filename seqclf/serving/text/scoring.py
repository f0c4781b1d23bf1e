"""Scores text files: how probable each token was for a language model. It needs no TensorFlow."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from seqclf.data.text.files import read_text
from seqclf.errors import DataError, ExportError
from seqclf.serving.c_api import INVALID_ARGUMENT, Failure
from seqclf.serving.client.text import ScoredText, scored_texts
from seqclf.serving.graph_errors import first_cause
from seqclf.serving.object_arrays import object_array
from seqclf.serving.opened_export import check_kind, open_export
from seqclf.serving.text.options import MAX_TOKENS


class TextScorer(Protocol):
    """A language model that scores texts: an `ExportedScorer`, or a client of a server."""

    def score(self, texts: Sequence[str]) -> list[ScoredText]:
        """Returns how probable each text is; see `ScoredText`."""


@dataclass(frozen=True)
class ScoredFile:
    """A text file, and how probable it is.

    Attributes:
        path: the file as the user names it.
        scored: the score of its text.
    """

    path: str
    scored: ScoredText

    @property
    def tokens(self) -> list[str]:
        """The tokens as text; bytes that are no UTF-8 alone are written as `\\xe9`."""
        return [
            token.decode("utf-8", "backslashreplace") if isinstance(token, bytes) else str(token)
            for token in self.scored.tokens
        ]

    @property
    def probabilities(self) -> np.ndarray:
        """float64 `[T]`, the probability of each token; NaN for the first, which none predicts."""
        probabilities: np.ndarray = np.exp(self.scored.log_probabilities.astype(np.float64))
        probabilities[0] = np.nan
        return probabilities

    def in_words(self) -> str:
        """Returns the line that the terminal shows."""
        scored = self.scored
        perplexity = np.exp(-scored.log_probabilities[1:].mean(dtype=np.float64))
        return (
            f"{self.path}  {scored.bits_per_character:.4f} bits per character, perplexity "
            f"{perplexity:.4g}, {len(scored.tokens):,} tokens"
        )

    def as_json(self) -> dict[str, Any]:
        """Returns the score as JSON values, with a list of T for tokens and for probabilities."""
        return {
            "input": self.path,
            "bits_per_character": self.scored.bits_per_character,
            "tokens": self.tokens,
            "probabilities": [None, *self.probabilities[1:].tolist()],
        }


class ExportedScorer:
    """The newest version of an export, or one version of it. It is a `TextScorer`.

    Args:
        model: `EXPORT_DIR` or `EXPORT_DIR/<version>`.

    Raises:
        ExportError: there is no export of seqclf in that folder, or it is damaged.
        ConfigError: it is a classifier.
    """

    def __init__(self, model: str | Path):
        opened = open_export(model)
        check_kind(opened.path, opened.spec, text=True)
        assert opened.spec.tokens is not None
        self._kind = opened.spec.tokens.kind
        self._path, self._model = opened.path, opened.model

    def score(self, texts: Sequence[str]) -> list[ScoredText]:
        """Returns how probable each text is.

        Raises:
            DataError: a text has fewer than two tokens, or too many.
            ExportError: the model fails.
        """
        inputs = {"text": object_array([text.encode() for text in texts])}
        try:
            return scored_texts(self._model.run("score", inputs))
        except Failure as error:
            cause = first_cause(str(error))
            if error.code == INVALID_ARGUMENT:
                received = ", ".join(f"{len(text):,} characters" for text in texts[:5])
                raise DataError(
                    f"a text must have 2 to {MAX_TOKENS:,} {self._kind}: the first is not "
                    f"predicted. Received: {received}. Divide a longer one into several files."
                ) from error
            raise ExportError(f"The model {self._path} fails: {cause}") from error


def scored_files(paths: Iterable[str], model: TextScorer) -> Iterator[ScoredFile]:
    """Yields each text file with its score.

    Args:
        paths: text files in UTF-8.
        model: the model that is asked.

    Raises:
        DataError: a file cannot be read or is no text, or it has fewer than two tokens, or too
            many.
    """
    for path in paths:
        if Path(path).expanduser().is_dir():
            raise DataError(f"{path} is a folder: name the text files in it, such as {path}/*.txt.")
        text, _ = read_text(path, "utf-8")
        try:
            (scored,) = model.score([text])
        except DataError as error:
            raise DataError(f"{path}: {error}") from error
        yield ScoredFile(path, scored)

"""`generate`: text that a language model writes after a prefix."""

import functools
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqclf.api.model_source import model_source
from seqclf.console.tensorflow_start import start_quietly
from seqclf.errors import ConfigError

if TYPE_CHECKING:
    from seqclf.data.spec import DatasetSpec
    from seqclf.serving.text.asking import TextModel
    from seqclf.serving.text.trained_model import TrainedTextModel


def generate(
    model: Any,
    prefix: str,
    *,
    length: int = 200,
    temperature: float = 0.8,
    top_k: int = 0,
    seed: int = 0,
    spec: "DatasetSpec | None" = None,
) -> str:
    """Writes text that goes on from a prefix.

    What must be said of the prefix, such as characters that the vocabulary lacks, goes to standard
    error.

    Args:
        model: what writes: what `fit` or `load_run` returned for a text, or the path of such a run,
            or the path of an export, `EXPORT_DIR` (its newest version) or `EXPORT_DIR/<version>`;
            or a Keras model that `build_language_model` made; `spec` is then needed.
        prefix: what the text begins with.
        length: number of tokens to write after the prefix.
        temperature: the logits are divided by it: the lower, the more probable are the tokens; 0
            takes the most probable one each time.
        top_k: each token is one of so many that are the most probable; 0: any.
        seed: the number from which the random draws follow: the same seed gives the same text.
        spec: the spec of the text (`dataset.spec`), for a Keras model alone.

    Returns:
        The prefix, as the model reads it, and what follows. The unknown token is never written. Of
        a model of bytes, what is no UTF-8 is replaced by U+FFFD.

    Raises:
        ConfigError: an option is out of range, or the model is a classifier.
        DataError: the prefix has no token, or too many.
        RunError: the run has no model yet.
        ExportError: the export is missing or damaged.

    Example:
        >>> seqclf.generate("runs/book", "time traveller", length=10)  # doctest: +SKIP
        'time traveller and the '
    """
    from seqclf.serving.text.asking import start
    from seqclf.serving.text.options import WritingOptions
    from seqclf.serving.text.writing import notes, write

    options = WritingOptions(length, temperature, top_k, seed)
    if not isinstance(prefix, str):
        raise ConfigError(f"`prefix` must be a str. Received: {prefix!r:.80}")
    start_quietly()
    writer = _writer(model, spec)
    options.check_vocabulary(writer.spec.num_classes)
    started = start(writer, prefix)
    for note in notes(started, prefix, writer.spec):
        print(f"note: {note}", file=sys.stderr)
    return b"".join(write(writer, started, options)).decode(errors="replace")


def _writer(model: Any, spec: "DatasetSpec | None") -> "TextModel":
    from seqclf.serving.opened_export import check_kind
    from seqclf.serving.text.asking import ExportedTextModel

    source = model_source(model, spec, "its vocabulary")
    if source is None:
        assert spec is not None
        return _trained(model, spec)
    if isinstance(source, (str, Path)):
        return ExportedTextModel(source)
    check_kind(source.path, source.spec, text=True)
    return _trained(source.model, source.spec)


@functools.lru_cache(maxsize=4)  # its graphs are kept for later calls
def _trained(model: Any, spec: "DatasetSpec") -> "TrainedTextModel":
    from seqclf.models.language_model import is_language_model
    from seqclf.serving.text.trained_model import TrainedTextModel

    if not spec.is_text or not is_language_model(model):
        raise ConfigError(
            "A Keras model that writes text is one of build_language_model, with the spec of a "
            f"text. Received: {model.name!r} and a spec of {spec.source}"
        )
    return TrainedTextModel(model, spec)

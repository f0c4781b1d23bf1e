"""Writes text that goes on from a prefix, by a language model.

    python -m seqclf.generate --model=runs/mine/export --prefix="time traveller"
    python -m seqclf.generate --workdir=runs/mine --prefix="time traveller" --temperature=0

The text is written to standard output token by token, the prefix first. The same seed gives the
same text.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from seqclf.console import app
from seqclf.console.progress import announce
from seqclf.errors import ConfigError

if TYPE_CHECKING:
    from seqclf.serving.text.asking import TextModel
    from seqclf.serving.text.options import WritingOptions

MODEL = flags.DEFINE_string("model", None, "Exported model: EXPORT_DIR or EXPORT_DIR/<version>.")
WORKDIR = flags.DEFINE_string("workdir", None, "Run directory of a finished training on text.")
PREFIX = flags.DEFINE_string("prefix", None, "What the text begins with.")
LENGTH = flags.DEFINE_integer("length", 200, "Number of tokens to write after the prefix.")
TEMPERATURE = flags.DEFINE_float(
    "temperature",
    0.8,
    "The logits are divided by it: the lower, the more probable are the tokens; 0 takes the most "
    "probable one each time.",
)
TOP_K = flags.DEFINE_integer(
    "top_k", 0, "Each token is one of so many that are the most probable; 0: any."
)
SEED = flags.DEFINE_integer("seed", 0, "The number from which the random draws follow.")


def check(argv: Sequence[str]) -> None:
    """Checks the flags without TensorFlow, so that a mistake is reported at once."""
    del argv
    from seqclf.serving.opened_export import exported_spec
    from seqclf.serving.text.opening import check_run, check_text
    from seqclf.serving.versions import version_folder

    if (MODEL.value is None) == (WORKDIR.value is None):
        raise ConfigError("Give either --model=EXPORT_DIR or --workdir=RUN.")
    chosen = options()
    if MODEL.value is None:
        check_run(Path(WORKDIR.value), chosen)
    else:
        path = version_folder(Path(MODEL.value).expanduser())
        check_text(path, exported_spec(path), chosen)


def main(argv: Sequence[str]) -> None:
    """Writes the text."""
    del argv
    from seqclf.serving.text.asking import start
    from seqclf.serving.text.writing import notes, write

    model = load()
    started = start(model, PREFIX.value)
    for note in notes(started, PREFIX.value, model.spec):
        print(f"note: {note}", file=sys.stderr, flush=True)
    out = sys.stdout.buffer  # bytes need not be text in the encoding of the terminal
    for piece in write(model, started, options()):
        out.write(piece)
        out.flush()
    out.write(b"\n")


def options() -> "WritingOptions":
    """Returns what the flags say of how the text is written."""
    from seqclf.serving.text.options import WritingOptions

    return WritingOptions(LENGTH.value, TEMPERATURE.value, TOP_K.value, SEED.value)


def load() -> "TextModel":
    """Returns the model of --model or --workdir, ready to write."""
    announce("Loading the model")
    if MODEL.value is None:
        from seqclf.serving.text.opening import open_run
        from seqclf.storage.run_directory import Run

        return open_run(Run(WORKDIR.value))
    from seqclf.console.quiet import quiet_start
    from seqclf.serving.text.asking import ExportedTextModel

    # Starting a GPU takes longer than most texts. CUDA_VISIBLE_DEVICES=0 switches it on.
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
    with quiet_start("2"):
        return ExportedTextModel(MODEL.value)


def needs_tensorflow() -> bool:
    """Returns whether TensorFlow is imported, which only a run needs."""
    return WORKDIR.value is not None


if __name__ == "__main__":
    app.run(main, check=check, tensorflow=needs_tensorflow, required=["prefix"])

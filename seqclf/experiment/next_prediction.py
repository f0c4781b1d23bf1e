"""`prediction_command`: the command that tries a model on the samples of its run."""

from pathlib import Path

from seqclf.console.next_commands import command_line
from seqclf.serving.file_names import SAMPLE
from seqclf.storage.run_directory import Run

WORDS, LONGEST = 3, 40  # words and characters of a prefix


def prediction_command(run: Run, model: str | Path, out: str | Path) -> str:
    """Returns the line that predicts a sample of a run, or that writes text after one.

    Args:
        run: the run, whose samples are used.
        model: the folder of the model's versions.
        out: the file that predictions for a table are written to.
    """
    flags: dict[str, object]
    text = run.samples / SAMPLE
    if text.is_file():
        flags = {"model": model, "prefix": _prefix(text.read_text(errors="replace"))}
        return command_line("seqclf.generate", flags)
    sample = next(iter(sorted(run.samples.glob("*"))), Path("FILE.png"))
    flags = {"model": model}
    if sample.suffix == ".csv":
        flags["out"] = out
    return command_line("seqclf.predict", flags, sample)


def _prefix(text: str) -> str:
    """Returns a few words of a sample, without the first one, of which the beginning may lack."""
    words = text.split()
    return " ".join(words[1 : 1 + WORDS] or words)[:LONGEST] or "a"

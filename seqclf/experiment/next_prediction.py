"""`prediction_command`: the command that tries a model on the samples of its run."""

from pathlib import Path

from seqclf.console.next_commands import command_line
from seqclf.storage.run_directory import Run


def prediction_command(run: Run, model: str | Path, out: str | Path) -> str:
    """Returns the line that predicts a sample of a run.

    Args:
        run: the run, whose samples are used.
        model: the folder of the model's versions.
        out: the file that predictions for a table are written to.
    """
    sample = next(iter(sorted(run.samples.glob("*"))), Path("FILE.png"))
    flags: dict[str, object] = {"model": model}
    if sample.suffix == ".csv":
        flags["out"] = out
    return command_line("seqclf.predict", flags, sample)

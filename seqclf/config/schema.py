"""The config: every number that decides a run, with its default, type, range and meaning.

`Config` is one frozen dataclass with a subgroup for data, augmentation, model and optimiser. A
`Config` that exists is valid: each value is checked when it is made. `docs/config.md` has all keys.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from seqclf.config.class_weights import WORDS, class_weight_text, class_weights_by_name
from seqclf.config.groups import GROUPS, AugmentConfig, DataConfig, ModelConfig, OptimizerConfig
from seqclf.config.settings import Group, Setting, setting
from seqclf.errors import ConfigError

# The quantities by which a validation can be better than another, and the direction that is better.
CRITERIA = {
    "accuracy": "max",
    "loss": "min",
    "macro_f1": "max",
    "balanced_accuracy": "max",
    "roc_auc": "max",
    "average_precision": "max",
}


@dataclass(frozen=True, kw_only=True)
class Config(Group):
    """Every number that decides a run.

    Example:
        >>> config = Config(name="mine", model=ModelConfig(units=(100, 100)), steps=500)
        >>> config.model.units, config.optimizer.learning_rate
        ((100, 100), 0.005)
    """

    name: str = setting(
        "default", "name of the recipe; the run goes to runs/NAME unless --workdir says"
    )
    seed: int = setting(
        0,
        "seed of the initial weights, the order of the examples, dropout and augmentation",
        low=0,
        high=2**31 - 1,
    )
    data: DataConfig = field(default_factory=DataConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    label_smoothing: float = setting(
        0.0, "fraction of each label that is spread over all classes", low=0, below=1
    )
    class_weight: str = setting(
        "none",
        "how much the examples of each class count in the loss: all alike (none), so that each "
        "class counts as much as another (balanced), or as named, such as ok:1,fault:5, where a "
        "class that is not named has 1",
    )
    batch_size: int = setting(128, "examples that a training step learns from", low=1)
    batch_selection: int = setting(
        1,
        "read so many times batch_size examples a step and learn from the batch_size of them with "
        "the largest loss; 1: learn from all that is read",
        low=1,
        high=64,
    )
    length_buckets: int = setting(
        0,
        "for sequences of varying length, not in shards: put sequences of like length into a "
        "batch and pad it to one of so many lengths, for each of which the step is compiled; "
        "0: pad every batch to the longest sequence of all",
        low=0,
        high=64,
    )
    epochs: float = setting(0.0, "length of the training in passes over the training split", low=0)
    steps: int = setting(
        2000,
        "length in steps; 0, or where `epochs` alone is given: `epochs` says. When both are set, "
        "steps wins",
        low=0,
    )
    validate_every: int = setting(200, "steps between validations; 0: every epoch", low=0)
    checkpoint_every: int = setting(100, "steps between checkpoints", low=1)
    early_stopping: int = setting(
        0,
        "stop after so many validations without a higher accuracy, or without a better value of "
        "what `select` names; 0: off; -1: after two fifths of all validations, but off with fewer "
        "than 50 validation examples",
        low=-1,
    )
    select: str = setting(
        "auto",
        "which weights become the model: those of the best validation by accuracy (best), loss, "
        "macro_f1, balanced_accuracy, roc_auc or average_precision (of equal ones that of the "
        "lower loss), or the last; auto: best, but last with fewer than 50 validation examples",
        choices=("auto", "best", "last", *list(CRITERIA)[1:]),
    )
    nonfinite: str = setting(
        "stop",
        "when the loss or a gradient is not a finite number: stop, with the last checkpoint kept, "
        "or skip that batch",
        choices=("stop", "skip"),
    )
    distribute: str = setting(
        "auto",
        "who shares the training (batch_size is that of all together): this machine's GPUs "
        "(mirrored), the processes named in TF_CONFIG (multi_worker), nobody (none), or what is "
        "there (auto)",
        choices=("auto", "mirrored", "multi_worker", "none"),
    )
    precision: str = setting(
        "float32",
        "arithmetic of the layers (weights stay float32)",
        choices=("float32", "mixed_bfloat16", "mixed_float16"),
    )
    native: str = setting(
        "auto",
        "take the GRU's native operations on a CPU: where they can be had, but not beside "
        "convolutions (auto), always (on: refused where they cannot be had), or never (off)",
        choices=("auto", "on", "off"),
    )
    jit_compile: bool = setting(
        True,
        "compile the training step with XLA (on a GPU cuDNN's kernel runs); augmentation always is",
    )
    shares: int = setting(
        0, "parts of a batch that are worked on side by side; 0: one for each core", low=0
    )

    def __post_init__(self) -> None:
        for name, group in GROUPS.items():
            if not isinstance(getattr(self, name), group):
                raise ConfigError(
                    f"`{name}` must be a {group.__name__}. Received: {getattr(self, name)!r}"
                )
        if isinstance(self.class_weight, Mapping):
            object.__setattr__(self, "class_weight", class_weight_text(self.class_weight))
        super().__post_init__()
        if self.steps:
            object.__setattr__(self, "epochs", 0.0)

    def check_together(self) -> None:
        if not self.name or "/" in self.name or self.name.startswith("."):
            raise ConfigError(
                f"`name` becomes a folder name: it must not be empty, start with '.' or hold '/'. "
                f"Received: {self.name!r}"
            )
        if not self.steps and not self.epochs:
            raise ConfigError("The training needs a length: set `steps` or `epochs` above 0.")
        if self.class_weight not in WORDS:
            class_weights_by_name(self.class_weight)
        if self.nonfinite == "skip" and self.precision == "mixed_float16":
            raise ConfigError(
                "`precision` 'mixed_float16' skips batches whose gradient overflows by itself: "
                "leave `nonfinite` at 'stop'."
            )

    @property
    def criterion(self) -> str:
        """The quantity by which validations are compared, one of `CRITERIA`."""
        return self.select if self.select in CRITERIA else "accuracy"

    @property
    def examples_per_step(self) -> int:
        """How many examples a training step reads; it learns from `batch_size` of them."""
        return self.batch_size * self.batch_selection

    def changed(self, values: Mapping[str, Any]) -> "Config":
        """Returns a config with other values.

        Args:
            values: the new values by key, such as `{"model.units": (64,), "seed": 1}`. See
                `with_length`.

        Raises:
            ConfigError: a value is not allowed, or contradicts another.
        """
        own: dict[str, Any] = {}
        of_groups: dict[str, dict[str, Any]] = {}
        for key, value in with_length(values).items():
            group, _, name = key.rpartition(".")
            (of_groups.setdefault(group, {}) if group else own)[name] = value
        for group, changes in of_groups.items():
            own[group] = dataclasses.replace(getattr(self, group), **changes)
        return dataclasses.replace(self, **own)


def with_length(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns values that somebody gives, with `steps` 0 where `epochs` alone is among them.

    Otherwise the steps of a default or of a recipe would win over the epochs that were asked for.

    Example:
        >>> with_length({"epochs": 3}), with_length({"epochs": 3, "steps": 5})
        ({'steps': 0, 'epochs': 3}, {'steps': 5, 'epochs': 3})
    """
    return {"steps": 0, **values} if values.get("epochs") else values


def _schema() -> dict[str, Setting]:
    known: dict[str, Setting] = {}
    for each in dataclasses.fields(Config):
        if group := GROUPS.get(each.name):
            known |= {f"{group.prefix}{name}": one for name, one in group.settings()}
        else:
            known[each.name] = each.metadata["setting"]
    return known


SCHEMA: dict[str, Setting] = _schema()

"""The config: every number that decides a run, with its default, type, range and meaning.

A recipe file (`configs/NAME.py`) starts from `default_config()` and changes what differs; a command
line changes more with `--config.KEY=VALUE`. `resolve` then checks the whole, so that a typo or a
value out of range ends in one message instead of a run that is not what was asked for.
"""

import difflib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import ml_collections

from seqclf.errors import ConfigError


@dataclass(frozen=True)
class Field:
    """One config key: its default (which also fixes the type), its meaning and what is allowed."""

    default: Any
    doc: str
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    above: float | None = None  # like low, but the bound itself is not allowed
    below: float | None = None

    @property
    def kind(self) -> type:
        return type(self.default)


LONGEST = 1_000_000  # steps

SCHEMA: dict[str, Field] = {
    "name": Field("default", "name of the recipe; the run goes to runs/NAME unless --workdir says"),
    "seed": Field(
        0,
        "of the weights, the order of the examples, dropout and distortions",
        low=0,
        high=2**31 - 1,
    ),
    "data.source": Field(
        "mnist",
        "digits | a tensorflow-datasets name (mnist, ...) | idx:DIR | npz:FILE | tfrecord:GLOB",
    ),
    "data.reading": Field(
        "rows",
        "how an image is read as a sequence: one row, one column or one pixel per step",
        choices=("rows", "columns", "pixels"),
    ),
    "data.normalize": Field(
        "auto",
        "unit: divide by full scale (255); standard: zero mean, unit deviation per feature over "
        "the training split; global: the same of all features together; auto: unit for uint8, "
        "standard for float; none",
        choices=("auto", "unit", "standard", "global", "none"),
    ),
    "data.image_size": Field(
        (), "(height, width): resize images of a tensorflow-datasets source; () keeps them", low=1
    ),
    "data.mnist_dir": Field(
        "", "folder with MNIST's four original .gz files; empty: $SEQCLF_MNIST_DIR"
    ),
    "data.tfds_dir": Field("", "tensorflow-datasets' folder; empty: its own default"),
    "data.validation": Field(
        0.1, "share of the training examples that is held out to validate on", above=0, high=0.5
    ),
    "data.test": Field(
        0.2, "share held out to test on, for sources that have no test split", above=0, high=0.5
    ),
    "data.split_seed": Field(
        0, "of the random splits: kept apart from `seed` so that all seeds share them", low=0
    ),
    "data.shuffle_buffer": Field(
        10_000,
        "of a tfrecord source: examples held in memory to shuffle them (other sources shuffle all)",
        low=1,
        high=10_000_000,
    ),
    "augment.shift": Field(
        0.0, "shift training images by up to this share of height and width", low=0, high=0.5
    ),
    "augment.rotation": Field(0.0, "rotate them by up to so many degrees", low=0, high=180),
    "augment.scale": Field(
        0.0, "make them up to this share smaller or larger, each axis by itself", low=0, high=0.5
    ),
    "augment.shear": Field(0.0, "slant them by up to so many degrees", low=0, high=45),
    "augment.elastic": Field(
        0.0,
        "displace each pixel smoothly, with this standard deviation as a share of height and width",
        low=0,
        high=0.2,
    ),
    "augment.flip": Field(False, "flip every second one, by chance, left to right"),
    "model.cell": Field(
        "gru",
        "recurrent cell: gated, long short-term memory, plain, minimal gated unit",
        choices=("gru", "lstm", "rnn", "mgu"),
    ),
    "model.units": Field((128, 128), "width of each recurrent layer, first to last", low=1),
    "model.bidirectional": Field(False, "read the sequence in both directions in every layer"),
    "model.dropout": Field(
        0.0, "share dropped of what enters each layer's successor", low=0, below=1
    ),
    "model.pooling": Field(
        "last",
        "what is classified: the last state, or beside it the mean of all",
        choices=("last", "mean"),
    ),
    "model.layer_norm": Field(False, "layer normalisation after each recurrent layer"),
    "model.time_reduction": Field(
        (),
        "one number for each layer but the last: the layer above reads one state of so many; () "
        "or 1: all",
        low=1,
        high=LONGEST,
    ),
    "model.chrono": Field(
        0,
        "chrono initialisation: units start with memories of 2 to so many steps (the length of the "
        "sequences is usual); 0: all forget alike",
        low=0,
        high=LONGEST,
    ),
    "model.reset_after": Field(
        True,
        "gru: apply the reset gate after the recurrent product (cuDNN) or before (Cho et al. 2014)",
    ),
    "optimizer.name": Field("adam", "optimiser", choices=("adam", "adamw", "sgd")),
    "optimizer.learning_rate": Field(0.005, "learning rate; the peak of a schedule", above=0),
    "optimizer.schedule": Field(
        "cosine", "constant, or linear warm-up then cosine decay", choices=("constant", "cosine")
    ),
    "optimizer.warmup_steps": Field(200, "steps of linear warm-up (schedule cosine)", low=0),
    "optimizer.final_learning_rate": Field(0.0, "where the cosine ends", low=0),
    "optimizer.weight_decay": Field(0.0, "decoupled weight decay (adamw only)", low=0),
    "optimizer.momentum": Field(0.9, "momentum (sgd only)", low=0, below=1),
    "optimizer.clip_norm": Field(1.0, "clip the gradient to this global norm; 0: off", low=0),
    "label_smoothing": Field(0.0, "share of each label spread over all classes", low=0, below=1),
    "batch_size": Field(128, "examples that a training step learns from", low=1),
    "batch_selection": Field(
        1,
        "read so many times batch_size examples a step and learn from the batch_size of them with "
        "the largest loss; 1: learn from all that is read",
        low=1,
        high=64,
    ),
    "epochs": Field(0.0, "length of the training in passes over the training split", low=0),
    "steps": Field(2000, "length in steps; 0: `epochs` says. When both are set, steps wins", low=0),
    "validate_every": Field(200, "steps between validations; 0: every epoch", low=0),
    "checkpoint_every": Field(100, "steps between checkpoints", low=1),
    "early_stopping": Field(0, "stop after so many validations without a new best; 0: off", low=0),
    "select": Field(
        "best",
        "which weights become the model: those of the best validation accuracy, or the last",
        choices=("best", "last"),
    ),
    "nonfinite": Field(
        "stop",
        "when the loss or a gradient is not a finite number: stop, with the last checkpoint kept, "
        "or skip that batch",
        choices=("stop", "skip"),
    ),
    "distribute": Field(
        "auto",
        "who shares the training (batch_size is that of all together): this machine's GPUs "
        "(mirrored), the processes named in TF_CONFIG (multi_worker), nobody (none), or what is "
        "there (auto)",
        choices=("auto", "mirrored", "multi_worker", "none"),
    ),
    "precision": Field(
        "float32",
        "arithmetic of the layers (weights stay float32)",
        choices=("float32", "mixed_bfloat16", "mixed_float16"),
    ),
    "jit_compile": Field(
        True,
        "compile the training step with XLA (on a GPU cuDNN's kernel runs); distortions always are",
    ),
    "shares": Field(
        0, "parts of a batch that are worked on side by side; 0: one for each core", low=0
    ),
}


def default_config() -> ml_collections.ConfigDict:
    """Returns a new config that holds every key of `SCHEMA` at its default.

    Example:
        >>> config = default_config()
        >>> config.model.units = [100, 100]
        >>> config.optimizer.learning_rate
        0.005
    """
    return ml_collections.ConfigDict(nest({key: field.default for key, field in SCHEMA.items()}))


def resolve(
    config: Mapping[str, Any] | ml_collections.ConfigDict,
) -> ml_collections.FrozenConfigDict:
    """Checks a config and completes it with defaults.

    Args:
        config: nested, with any subset of the keys of `SCHEMA`.

    Returns:
        A frozen config with every key. `epochs` is 0 where `steps` gives the length.

    Raises:
        ConfigError: an unknown key (the nearest known one is named), a wrong type, a value out of
            range, or keys that contradict each other.
    """
    given = flatten(config)
    values = {}
    for key, value in given.items():
        if key not in SCHEMA:
            raise ConfigError(unknown_key(key))
        values[key] = check_value(key, value)
    complete = {key: values.get(key, field.default) for key, field in SCHEMA.items()}
    _check_together(complete)
    if complete["steps"]:
        complete["epochs"] = 0.0
    return ml_collections.FrozenConfigDict(nest(complete))


def examples_per_step(config: Any) -> int:
    """Returns how many examples a training step reads; it learns from `batch_size` of them."""
    return config.batch_size * config.batch_selection


def unknown_key(key: str) -> str:
    """Returns the message for a key that `SCHEMA` lacks, with the nearest known key."""
    group, _, leaf = key.rpartition(".")
    groups = {known.rpartition(".")[0] for known in SCHEMA} - {""}
    near_group = difflib.get_close_matches(group or leaf, groups, n=1, cutoff=0.6)
    in_group = [known for known in SCHEMA if near_group and known.startswith(f"{near_group[0]}.")]
    leaves = {known.rpartition(".")[2]: known for known in in_group or SCHEMA}
    near = difflib.get_close_matches(leaf, leaves, n=1, cutoff=0.6)
    if near:
        return f"Unknown config key `{key}`. Did you mean `{leaves[near[0]]}`?"
    return f"Unknown config key `{key}`. Known keys: {', '.join(in_group or SCHEMA)}."


def flatten(
    config: Mapping[str, Any] | ml_collections.ConfigDict, prefix: str = ""
) -> dict[str, Any]:
    """Returns `{"model.units": …}` for `{"model": {"units": …}}`."""
    flat: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, (Mapping, ml_collections.ConfigDict)):
            flat.update(flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Returns one line `key: old -> new` for each key in which two configs differ."""
    old_flat, new_flat = (json.loads(json.dumps(flatten(c))) for c in (old, new))
    return [
        f"{key}: {old_flat.get(key, '(absent)')!r} -> {new_flat.get(key, '(absent)')!r}"
        for key in sorted({*old_flat, *new_flat})
        if old_flat.get(key, ...) != new_flat.get(key, ...)
    ]


def to_json(config: ml_collections.FrozenConfigDict) -> str:
    """Returns the config as indented JSON; `from_json` reads it back."""
    return json.dumps(config.to_dict(), indent=2) + "\n"


def from_json(text: str) -> ml_collections.FrozenConfigDict:
    """Reads what `to_json` wrote, checked like any other config.

    Raises:
        ConfigError: as `resolve`, or the text is not a JSON object.
    """
    try:
        config = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"The config is not valid JSON: {error}") from error
    if not isinstance(config, dict):
        raise ConfigError(f"The config must be a JSON object. Received: {text[:60]!r}")
    return resolve(config)


def nest(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Returns `{"model": {"units": …}}` for `{"model.units": …}`."""
    nested: dict[str, Any] = {}
    for key, value in flat.items():
        group, _, leaf = key.rpartition(".")
        (nested.setdefault(group, {}) if group else nested)[leaf] = value
    return nested


def check_value(key: str, value: Any) -> Any:
    """Returns `value` as the key's type.

    Raises:
        ConfigError: it is of another type or out of range; key and value are named.
    """
    field = SCHEMA[key]
    if field.kind is tuple:
        if not isinstance(value, (list, tuple)):
            raise ConfigError(f"`{key}` must be a list of integers. Received: {value!r}")
        high = field.high or float("inf")
        for item in value:
            if not _is_int(item) or not (field.low or 0) <= item <= high:
                upto = f"to {high:g}" if field.high else "up"
                raise ConfigError(
                    f"`{key}` must be a list of integers from {field.low} {upto}. "
                    f"Received: {value!r}"
                )
        return tuple(value)
    converters: dict[type, tuple[Callable[[Any], bool], str]] = {
        bool: (lambda v: isinstance(v, bool), "True or False"),
        int: (_is_int, "an integer"),
        float: (lambda v: _is_int(v) or isinstance(v, float), "a number"),
        str: (lambda v: isinstance(v, str), "a string"),
    }
    accepts, expected = converters[field.kind]
    if not accepts(value):
        raise ConfigError(
            f"`{key}` must be {expected}. Received: {value!r} (of type {type(value).__name__})"
        )
    if field.choices and value not in field.choices:
        near = difflib.get_close_matches(value, field.choices, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ConfigError(
            f"`{key}` must be one of {', '.join(map(repr, field.choices))}. "
            f"Received: {value!r}.{hint}"
        )
    bounds = (
        ("at least", field.low, lambda bound: value >= bound),
        ("at most", field.high, lambda bound: value <= bound),
        ("greater than", field.above, lambda bound: value > bound),
        ("less than", field.below, lambda bound: value < bound),
    )
    for words, bound, holds in bounds:
        if bound is not None and not holds(bound):  # not (x >= 0) is true of NaN as well
            raise ConfigError(f"`{key}` must be {words} {bound:g}. Received: {value!r}")
    if field.kind is float and value == float("inf"):
        raise ConfigError(f"`{key}` must be finite. Received: {value!r}")
    return field.kind(value)


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _check_together(flat: Mapping[str, Any]) -> None:
    if not flat["name"] or "/" in flat["name"] or flat["name"].startswith("."):
        raise ConfigError(
            f"`name` becomes a folder name: it must not be empty, start with '.' or hold '/'. "
            f"Received: {flat['name']!r}"
        )
    if not flat["model.units"]:
        raise ConfigError("`model.units` must name at least one layer, such as [128]. Received: []")
    if len(flat["data.image_size"]) not in (0, 2):
        raise ConfigError(
            "`data.image_size` must be () or (height, width). "
            f"Received: {flat['data.image_size']!r}"
        )
    reductions, layers = flat["model.time_reduction"], len(flat["model.units"])
    if reductions and len(reductions) != layers - 1:
        raise ConfigError(
            "`model.time_reduction` must have one number for each layer but the last: "
            f"{layers - 1} for {layers} layers. Received: {list(reductions)}"
        )
    if max(reductions, default=1) > 1 and flat["model.bidirectional"]:
        raise ConfigError(
            "`model.time_reduction` keeps the state at the end of a block, where a layer that "
            "reads in both directions has not read the block backwards: set `model.bidirectional` "
            f"to False, or `model.time_reduction` to (). Received: {list(reductions)}"
        )
    if flat["model.chrono"] in (1, 2):
        raise ConfigError(
            "`model.chrono` must be 0 (off) or more than 2 steps. "
            f"Received: {flat['model.chrono']!r}"
        )
    if flat["model.chrono"] and flat["model.cell"] == "rnn":
        raise ConfigError(
            "`model.chrono` sets the gates that keep a state, and `model.cell` 'rnn' has none: set "
            f"`model.chrono` to 0, or take another cell. Received: {flat['model.chrono']!r}"
        )
    if not flat["model.reset_after"] and flat["model.cell"] != "gru":
        raise ConfigError(
            "`model.reset_after` is about the GRU's reset gate: leave it True for `model.cell` "
            f"{flat['model.cell']!r}. Received: False"
        )
    if not flat["steps"] and not flat["epochs"]:
        raise ConfigError("The training needs a length: set `steps` or `epochs` above 0.")
    if flat["optimizer.weight_decay"] and flat["optimizer.name"] != "adamw":
        raise ConfigError(
            "`optimizer.weight_decay` needs `optimizer.name` 'adamw'. Received: "
            f"weight_decay={flat['optimizer.weight_decay']!r} with {flat['optimizer.name']!r}"
        )
    if flat["nonfinite"] == "skip" and flat["precision"] == "mixed_float16":
        raise ConfigError(
            "`precision` 'mixed_float16' skips batches whose gradient overflows by itself: leave "
            "`nonfinite` at 'stop'."
        )
    if flat["optimizer.final_learning_rate"] > flat["optimizer.learning_rate"]:
        raise ConfigError(
            "`optimizer.final_learning_rate` must not exceed `optimizer.learning_rate` "
            f"({flat['optimizer.learning_rate']!r}). "
            f"Received: {flat['optimizer.final_learning_rate']!r}"
        )

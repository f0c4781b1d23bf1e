"""The config of a training for which no whole config is given, only a few keys or none.

`read_config` reads the argument `config` in all its forms. `completed` gives values that suit the
data to the keys that were not given.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqclf.config import Config, DataConfig, ModelConfig, OptimizerConfig, flatten, resolve
from seqclf.config.recipes import load_recipe
from seqclf.errors import ConfigError

if TYPE_CHECKING:
    from seqclf.data.dataset import Dataset

FEW = 5_000  # training examples; with fewer a wide model soon knows them by heart
EPOCHS = 50
LEAST_STEPS, MOST_STEPS = 300, 2_000
VALIDATIONS = 20


def read_config(config: Any) -> tuple[Config, dict[str, Any] | None]:
    """Returns a config that was given in one of its forms, and which keys were given.

    Args:
        config: a `Config`, a draft, or the name or path of a recipe, which are whole; a dictionary
            with some keys; or None.

    Returns:
        The config, with defaults for keys that were not given, and the values that were given, by
        key such as `model.units`; None: all were.

    Raises:
        ConfigError: it is none of these, or a key or a value is not allowed.
    """
    if isinstance(config, (str, Path)):
        config = resolve(load_recipe(str(config)).values)
    if config is None or isinstance(config, Mapping):
        given = flatten(config or {})
        return resolve(given), given
    if not hasattr(config, "to_dict"):
        raise ConfigError(
            "`config` must be a Config, the name or path of a recipe, a dictionary of keys or "
            f"None. Received: {config!r:.100}"
        )
    return resolve(config), None


def completed(given: Mapping[str, Any], dataset: "Dataset") -> Config:
    """Returns a whole config: the keys that were given, and values that suit a dataset for others.

    A length that is given is run to its end, unless `early_stopping` is given too.

    Args:
        given: values by key; keys of the group `data` do not count, because the data is loaded.
        dataset: the data.
    """
    changes = {key: value for key, value in given.items() if not key.startswith("data.")}
    if {"steps", "epochs"} & changes.keys():
        changes = {"early_stopping": 0, **changes}
    return suited_config(dataset).changed(changes)


def suited_config(dataset: "Dataset") -> Config:
    """Returns a config for a dataset, by the number of its training examples alone.

    The batch is the largest power of two of which at least eight make an epoch, and 128 at most.
    The training lasts 50 epochs, but not less than 300 nor more than 2,000 steps, and is validated
    20 times; after 8 validations without a better one it stops. With fewer than 5,000 training
    examples the model is two layers of 64 units with dropout 0.2; with more it is what `Config()`
    says. All else has its default.

    Args:
        dataset: the data; `config.data` says how it was loaded.
    """
    count = len(dataset.train)
    batch_size = 1
    while batch_size < Config().batch_size and 16 * batch_size <= count:
        batch_size *= 2
    epoch_steps = max(1, count // batch_size)
    steps = min(max(EPOCHS * epoch_steps, LEAST_STEPS), MOST_STEPS)
    few = ModelConfig(units=(64, 64), dropout=0.2)
    return Config(
        data=data_of(dataset),
        model=few if count < FEW else ModelConfig(),
        optimizer=OptimizerConfig(warmup_steps=min(OptimizerConfig().warmup_steps, steps // 10)),
        batch_size=batch_size,
        steps=steps,
        validate_every=steps // VALIDATIONS,
        early_stopping=-1,
    )


def data_of(dataset: "Dataset") -> DataConfig:
    """Returns the group `data` that says how a dataset was loaded."""
    return dataset.options or DataConfig(source="arrays")

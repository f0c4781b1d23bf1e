"""The parameter `config` of an estimator: its keys, and the whole config of a training."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import check_random_state

from seqclf.api.defaults import completed, data_of, read_config
from seqclf.config import Config, flatten
from seqclf.config.convert import unknown_key
from seqclf.config.schema import SCHEMA
from seqclf.errors import ConfigError

if TYPE_CHECKING:
    from seqclf.data.dataset import Dataset

# Keys that are parameters of the estimator.
PARAMETERS = {
    "seed": "random_state",
    "class_weight": "class_weight",
    "data.validation": "validation",
}
OPTIONS = ("missing", "normalize", "split_seed")  # of the group `data`, those that are read


def given_keys(config: Any) -> dict[str, Any]:
    """Returns the keys of a dictionary, such as `model.units`, with their values; else {}."""
    return flatten(config) if isinstance(config, Mapping) else {}


def with_keys(config: Any, values: Mapping[str, Any]) -> Any:
    """Returns the parameter `config` with other values of some keys.

    Raises:
        ConfigError: there is no such key.
    """
    if unknown := [key for key in values if key not in SCHEMA]:
        raise ConfigError(unknown_key(unknown[0]))
    if config is None or isinstance(config, Mapping):
        return given_keys(config) | dict(values)
    return read_config(config)[0].changed(values)


def data_options(config: Any) -> dict[str, Any]:
    """Returns the options of `Dataset.from_arrays` that the parameter `config` gives.

    Raises:
        ConfigError: a key is not allowed, or is a parameter of the estimator.
    """
    checked, given = read_config(config)
    for key in given or ():
        if key in PARAMETERS:
            raise ConfigError(
                f"`{key}` is the parameter `{PARAMETERS[key]}` of SequenceClassifier: give it "
                "there. Received: the key in `config`"
            )
        if key.startswith("data.") and key.removeprefix("data.") not in OPTIONS:
            raise ConfigError(
                f"SequenceClassifier is given its data by `fit`: of the group `data` its config "
                f"may have {', '.join(OPTIONS)}. Received: `{key}`"
            )
    if checked.distribute not in ("auto", "none"):
        raise ConfigError(
            "SequenceClassifier trains in one process: leave `distribute` at 'auto', or train with "
            f"seqclf.fit. Received: {checked.distribute!r}"
        )
    return {name: getattr(checked.data, name) for name in OPTIONS}


def whole_config(
    config: Any, dataset: "Dataset", random_state: Any, class_weight: Any, classes: np.ndarray
) -> Config:
    """Returns the config of a training.

    Args:
        config: the parameter `config`.
        dataset: the data.
        random_state: the parameter; it says what `seed` is.
        class_weight: the parameter; None: the config says.
        classes: the labels, by class index.

    Raises:
        ConfigError: a value is not allowed.
    """
    checked, given = read_config(config)
    if given is not None:
        checked = completed(given, dataset)
    changes: dict[str, Any] = {"seed": _seed(random_state), "data": data_of(dataset)}
    if isinstance(class_weight, Mapping):
        names = {label: str(label) for label in classes.tolist()}
        class_weight = {names.get(label, label): value for label, value in class_weight.items()}
    if class_weight is not None:
        changes["class_weight"] = class_weight
    return checked.changed(changes)


def _seed(random_state: Any) -> int:
    if isinstance(random_state, (int, np.integer)):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))


def config_to_json(config: Any) -> Any:
    """Returns the parameter `config` as JSON can hold it; `config_from_json` reads it back."""
    if config is None or isinstance(config, (str, Path)):
        return None if config is None else str(config)
    if isinstance(config, Mapping):
        return {"keys": given_keys(config)}
    return {"whole": read_config(config)[0].to_dict()}


def config_from_json(content: Any) -> Any:
    """Returns the parameter `config` that `config_to_json` wrote."""
    if not isinstance(content, dict):
        return content
    return read_config(content["whole"])[0] if "whole" in content else content["keys"]

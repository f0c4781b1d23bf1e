"""A config from and to other forms: nested and flat dictionaries, a recipe's draft, JSON."""

import difflib
import json
from collections.abc import Mapping
from typing import Any, TypeAlias

import ml_collections

from seqclf.config.groups import GROUPS
from seqclf.config.schema import SCHEMA, Config, with_length
from seqclf.errors import ConfigError

ConfigLike: TypeAlias = Config | Mapping[str, Any] | ml_collections.ConfigDict


def default_config() -> ml_collections.ConfigDict:
    """Returns a draft that holds every key of the config at its default, open to change.

    Its values are assigned, as below, and checked when it is used. `Config()` has the same values,
    checked and fixed: `Config().changed({"model.units": (100, 100)})` gives one with other values.

    Example:
        >>> config = default_config()
        >>> config.model.units = [100, 100]
        >>> config.optimizer.learning_rate
        0.005
    """
    return ml_collections.ConfigDict(nest({key: known.default for key, known in SCHEMA.items()}))


def resolve(config: ConfigLike) -> Config:
    """Checks a config and completes it with defaults.

    Args:
        config: a recipe's draft or a nested dictionary, with any subset of the keys; a `Config` is
            returned as it is.

    Returns:
        A config with every key. `epochs` is 0 where `steps` gives the length; `steps` is 0 where
        `epochs` alone is given.

    Raises:
        ConfigError: an unknown key (the nearest known one is named), a wrong type, a value out of
            range, or keys that contradict each other.

    Example:
        >>> resolve({"model": {"units": [32]}}).model.units
        (32,)
    """
    if isinstance(config, Config):
        return config
    given = flatten(config)
    for key in given:
        if key not in SCHEMA:
            raise ConfigError(unknown_key(str(key)))
    values = nest(with_length(given))
    for name, group in GROUPS.items():
        if name in values:
            values[name] = group(**values[name])
    return Config(**values)


def unknown_key(key: str) -> str:
    """Returns the message for a key that the config lacks, with the nearest known key."""
    group, _, leaf = key.rpartition(".")
    near_group = difflib.get_close_matches(group or leaf, GROUPS, n=1, cutoff=0.6)
    in_group = [known for known in SCHEMA if near_group and known.startswith(f"{near_group[0]}.")]
    leaves = {known.rpartition(".")[2]: known for known in in_group or SCHEMA}
    near = difflib.get_close_matches(leaf, leaves, n=1, cutoff=0.6)
    if near:
        return f"Unknown config key `{key}`. Did you mean `{leaves[near[0]]}`?"
    return f"Unknown config key `{key}`. Known keys: {', '.join(in_group or SCHEMA)}."


def flatten(config: ConfigLike) -> dict[str, Any]:
    """Returns `{"model.units": …}` for `{"model": {"units": …}}`."""
    if isinstance(config, Config):
        config = config.to_dict()
    flat: dict[str, Any] = {}
    for key, value in config.items():
        group = isinstance(value, (Mapping, ml_collections.ConfigDict))
        if group and key != "class_weight":  # a dictionary there is a value
            flat |= {f"{key}.{name}": item for name, item in flatten(value).items()}
        else:
            flat[key] = value
    return flat


def nest(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Returns `{"model": {"units": …}}` for `{"model.units": …}`."""
    nested: dict[str, Any] = {}
    for key, value in flat.items():
        group, _, leaf = key.rpartition(".")
        (nested.setdefault(group, {}) if group else nested)[leaf] = value
    return nested


def differences(old: ConfigLike, new: ConfigLike) -> list[str]:
    """Returns one line `key: old -> new` for each key in which two configs differ."""
    old_flat, new_flat = (json.loads(json.dumps(flatten(c))) for c in (old, new))
    return [
        f"{key}: {old_flat.get(key, '(absent)')!r} -> {new_flat.get(key, '(absent)')!r}"
        for key in sorted({*old_flat, *new_flat})
        if old_flat.get(key, ...) != new_flat.get(key, ...)
    ]


def as_begun(config: Config, begun: Config) -> Config:
    """Returns a config as it was when something was begun with it that now goes on.

    A run or a search of an earlier version records `select` "best" and `early_stopping` 0, which
    were its defaults. Today's "auto" and -1 leave them so.

    Args:
        config: the config as it is given now.
        begun: the recorded config.
    """
    changes: dict[str, Any] = {}
    if config.select == "auto" and begun.select == "best":
        changes["select"] = begun.select
    if config.early_stopping == -1 and begun.early_stopping == 0:
        changes["early_stopping"] = 0
    return config.changed(changes) if changes else config


def to_json(config: Config) -> str:
    """Returns the config as indented JSON; `from_json` reads it back."""
    return json.dumps(config.to_dict(), indent=2) + "\n"


def from_json(text: str) -> Config:
    """Reads what `to_json` wrote, checked like any other config.

    Raises:
        ConfigError: as `resolve`, or the text is not a JSON object.
    """
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as error:  # numbers and nesting have limits too
        raise ConfigError(f"The config is not valid JSON: {error}") from error
    if not isinstance(config, dict):
        raise ConfigError(f"The config must be a JSON object. Received: {text[:60]!r}")
    return resolve(config)

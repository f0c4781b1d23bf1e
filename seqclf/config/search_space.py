"""What a search may try: a `Choice` or a `Range` for each config key, declared in the recipe file.

def get_search_space():
    return {
        "optimizer.learning_rate": Range(1e-3, 2e-2, log=True),
        "optimizer.name": Choice("adam", "adamw"),
        "optimizer.weight_decay": Range(1e-3, 0.3, log=True, when={"optimizer.name": "adamw"}),
        "model.units": Choice([64, 64], [128, 128]),
        "model.dropout": Range(0.0, 0.5, step=0.1),
    }
"""

import contextlib
from collections.abc import Mapping
from typing import Any

from seqclf.config.convert import ConfigLike, flatten, resolve
from seqclf.config.domains import (
    Choice,
    Range,
    checked_domain,
    condition_values,
    declare,
    decoded,
    domain_in_words,
    encoded,
    shown,
)
from seqclf.config.schema import SCHEMA, Config
from seqclf.errors import ConfigError

__all__ = ["Choice", "Range", "SearchSpace", "shown"]


class SearchSpace:
    """A config and what of it may change.

    Args:
        config: the config from which trials start.
        declared: `Choice` or `Range` by config key.

    Attributes:
        config: the resolved config.
        declared: the domains by config key, with their values checked.

    Raises:
        ConfigError: an unknown key or one that a search must not change, a value that the key does
            not take, a range without values, or a condition on a key that is not searched.

    Example:
        >>> space = SearchSpace(default_config(), {"batch_size": Choice(32, 64)})
        >>> space.apply({"batch_size": 64}).batch_size
        64
    """

    def __init__(self, config: ConfigLike, declared: Mapping[str, Choice | Range]):
        self.config = resolve(config)
        if not isinstance(declared, Mapping) or not declared:
            raise ConfigError(
                "get_search_space() must return a dictionary of Choice and Range by config key. "
                f"Received: {declared!r}"
            )
        self.declared: dict[str, Choice | Range] = {}
        for key, domain in declared.items():
            self.declared[key] = checked_domain(key, domain, self.declared)
        for key in self.declared:
            for value in self._extremes(key):
                self.apply(self._activating(key) | {key: value})

    def declare(self, hp: Any) -> dict[str, Any]:
        """Declares everything on Keras Tuner's `HyperParameters` and returns the values it has.

        Args:
            hp: the `HyperParameters` of a trial.

        Returns:
            The values by key, for the keys whose condition holds.
        """
        flat = flatten(self.config)
        values = {}
        for key, domain in self.declared.items():
            with contextlib.ExitStack() as scopes:
                for parent, wanted in domain.when.items():
                    allowed = [encoded(parent, value) for value in condition_values(parent, wanted)]
                    scopes.enter_context(hp.conditional_scope(parent, allowed))
                value = declare(hp, key, domain, flat[key])
            if value is not None:
                values[key] = decoded(key, value)
        return values

    def apply(self, values: Mapping[str, Any]) -> Config:
        """Returns the config with some values changed.

        Args:
            values: the new values by key. A key whose domain has a condition and that is not among
                them has its default.

        Raises:
            ConfigError: a value is not allowed, or contradicts another.
        """
        inactive = {
            key: SCHEMA[key].default
            for key, domain in self.declared.items()
            if domain.when and key not in values
        }
        return self.config.changed(inactive | dict(values))

    def without(self, keys: list[str]) -> "SearchSpace":
        """Returns the space without some keys, and without what depends on them."""
        left = {
            key: domain
            for key, domain in self.declared.items()
            if key not in keys and not set(domain.when) & set(keys)
        }
        if not left:
            raise ConfigError("Every key of the search space is given on the command line.")
        return SearchSpace(self.config, left)

    def in_words(self) -> dict[str, str]:
        """Returns each key's domain in words."""
        return {key: domain_in_words(domain) for key, domain in self.declared.items()}

    def _activating(self, key: str) -> dict[str, Any]:
        """Returns values with which a key's condition holds."""
        values: dict[str, Any] = {}
        for parent, wanted in self.declared[key].when.items():
            values |= self._activating(parent) | {parent: condition_values(parent, wanted)[0]}
        return values

    def _extremes(self, key: str) -> list[Any]:
        domain = self.declared[key]
        return list(domain.values) if isinstance(domain, Choice) else [domain.low, domain.high]

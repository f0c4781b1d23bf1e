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
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from seqclf.config.convert import ConfigLike, flatten, nest, resolve, unknown_key
from seqclf.config.schema import SCHEMA, Config
from seqclf.errors import ConfigError

# What decides which examples are compared, and how; a search over these would compare nothing.
NOT_SEARCHED = {
    *("name", "seed", "data.source", "data.mnist_dir", "data.tfds_dir", "data.validation"),
    *("data.test", "data.split_seed", "checkpoint_every", "jit_compile", "shares"),
}


@dataclass(frozen=True, init=False)
class Choice:
    """One of several values.

    Attributes:
        values: two or more, of the key's type.
        when: the condition, `{key: value or list of values}`, of other keys that are Choices and
            stand before this one. Where it does not hold, the key has its default of
            `seqclf.config`.
    """

    values: tuple[Any, ...]
    when: Mapping[str, Any] = field(default_factory=dict)

    def __init__(self, *values: Any, when: Mapping[str, Any] | None = None):
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "when", dict(when or {}))


@dataclass(frozen=True, init=False)
class Range:
    """A number between two bounds, both included.

    Attributes:
        low: the lower bound.
        high: the upper bound.
        log: draw the logarithm evenly; for learning rates and widths.
        step: the distance between values, or with `log` the factor; None: any value.
        when: see `Choice`.
    """

    low: float
    high: float
    log: bool = False
    step: float | None = None
    when: Mapping[str, Any] = field(default_factory=dict)

    def __init__(
        self,
        low: float,
        high: float,
        *,
        log: bool = False,
        step: float | None = None,
        when: Mapping[str, Any] | None = None,
    ):
        values = {"low": low, "high": high, "log": log, "step": step, "when": dict(when or {})}
        for name, value in values.items():
            object.__setattr__(self, name, value)


class SearchSpace:
    """A config and what of it may change.

    Args:
        config: the config from which trials start, resolved or not.
        declared: `Choice` or `Range` by config key.

    Attributes:
        config: the resolved config.
        declared: what may change, checked.

    Raises:
        ConfigError: an unknown key or one that a search must not change, a value that the key does
            not take, bounds that are none, or a condition on what is not searched.

    Example:
        >>> space = SearchSpace(default_config(), {"batch_size": Choice(32, 64)})
        >>> space.apply({"batch_size": 64}).batch_size
        64
    """

    def __init__(
        self,
        config: ConfigLike,
        declared: Mapping[str, Choice | Range],
    ):
        self.config = resolve(config)
        if not isinstance(declared, Mapping) or not declared:
            raise ConfigError(
                "get_search_space() must return a dictionary of Choice and Range by config key. "
                f"Received: {declared!r}"
            )
        self.declared: dict[str, Choice | Range] = {}
        for key, domain in declared.items():
            self.declared[key] = _checked(key, domain, self.declared)
        for key in self.declared:
            for value in self._extremes(key):
                self.apply(self._activating(key) | {key: value})

    def declare(self, hp: Any) -> dict[str, Any]:
        """Declares everything on Keras Tuner's `HyperParameters`; returns the values that it has.

        Only of keys whose condition holds.
        """
        flat = flatten(self.config)
        values = {}
        for key, domain in self.declared.items():
            with contextlib.ExitStack() as scopes:
                for parent, wanted in domain.when.items():
                    allowed = [_encoded(parent, value) for value in _as_list(parent, wanted)]
                    scopes.enter_context(hp.conditional_scope(parent, allowed))
                value = _declare(hp, key, domain, flat[key])
            if value is not None:
                values[key] = _decoded(key, value)
        return values

    def apply(self, values: Mapping[str, Any]) -> Config:
        """Returns the config with these values; searched keys that lack one have their default.

        Raises:
            ConfigError: as `resolve`.
        """
        flat = flatten(self.config)
        inactive = {
            key: SCHEMA[key].default
            for key, domain in self.declared.items()
            if domain.when and key not in values
        }
        return resolve(nest(flat | inactive | dict(values)))

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

    def describe(self) -> dict[str, str]:
        """Returns each key's domain in words."""
        return {key: _in_words(domain) for key, domain in self.declared.items()}

    def _activating(self, key: str) -> dict[str, Any]:
        """Returns values with which a key's condition holds."""
        values: dict[str, Any] = {}
        for parent, wanted in self.declared[key].when.items():
            values |= self._activating(parent) | {parent: _as_list(parent, wanted)[0]}
        return values

    def _extremes(self, key: str) -> list[Any]:
        domain = self.declared[key]
        return list(domain.values) if isinstance(domain, Choice) else [domain.low, domain.high]


def _checked(key: str, domain: Any, before: Mapping[str, Choice | Range]) -> Choice | Range:
    """Returns the domain with its values as the key's type, or raises a ConfigError."""
    if key not in SCHEMA:
        raise ConfigError(f"Search space: {unknown_key(str(key))}")
    if key in NOT_SEARCHED:
        raise ConfigError(
            f"Search space: `{key}` is the same for all trials and cannot be searched."
        )
    for parent, wanted in domain.when.items() if isinstance(domain, (Choice, Range)) else ():
        allowed = before.get(parent)
        if not isinstance(allowed, Choice):
            raise ConfigError(
                f"Search space: `{key}` depends on `{parent}`, which must be a Choice that stands "
                "before it."
            )
        if not _as_list(parent, wanted):
            raise ConfigError(f"Search space: `{key}` depends on `{parent}` being nothing at all.")
        for value in _as_list(parent, wanted):
            if SCHEMA[parent].check(parent, value) not in allowed.values:
                raise ConfigError(
                    f"Search space: `{key}` depends on `{parent}` being {value!r}, which is none "
                    f"of its choices: {', '.join(map(repr, allowed.values))}."
                )
    if isinstance(domain, Choice):
        return _checked_choice(key, domain)
    if isinstance(domain, Range):
        return _checked_range(key, domain)
    raise ConfigError(f"Search space: `{key}` must be a Choice or a Range. Received: {domain!r}")


def _checked_choice(key: str, domain: Choice) -> Choice:
    values = tuple(SCHEMA[key].check(key, value) for value in domain.values)
    if len(set(values)) < 2 or len(set(values)) < len(values):
        raise ConfigError(
            f"Search space: `{key}` needs two or more values, all different. "
            f"Received: {domain.values!r}"
        )
    return Choice(*values, when=domain.when)


def _checked_range(key: str, domain: Range) -> Range:
    kind = SCHEMA[key].kind
    if kind not in (int, float):
        raise ConfigError(
            f"Search space: `{key}` takes {kind.__name__} values: it needs a Choice, not a Range."
        )
    low, high = (SCHEMA[key].check(key, bound) for bound in (domain.low, domain.high))
    if not low < high:
        raise ConfigError(
            f"Search space: `{key}` needs a range whose low is below its high. "
            f"Received: low={low!r}, high={high!r}"
        )
    if not isinstance(domain.log, bool):
        raise ConfigError(
            f"Search space: `log` of `{key}` must be True or False. Received: {domain.log!r}"
        )
    if domain.log and low <= 0:
        raise ConfigError(
            f"Search space: a logarithmic range of `{key}` must start above 0. Received: {low!r}"
        )
    step = domain.step
    if step is not None:
        smallest = 1 if domain.log else 0
        if not isinstance(step, (int, float)) or isinstance(step, bool) or not step > smallest:
            raise ConfigError(
                f"Search space: the step of `{key}` must be greater than {smallest}. "
                f"Received: {step!r}"
            )
        if kind is int and step != int(step):
            raise ConfigError(
                f"Search space: the step of `{key}` must be an integer. Received: {step!r}"
            )
        step = kind(step)
        if (low * step if domain.log else low + step) > high:
            raise ConfigError(
                f"Search space: the step of `{key}` leaves no value but {low!r}. Received: {step!r}"
            )
    return Range(low, high, log=domain.log, step=step, when=domain.when)


def _declare(hp: Any, key: str, domain: Choice | Range, base: Any) -> Any:
    if isinstance(domain, Choice):
        values = [_encoded(key, value) for value in domain.values]
        default = _encoded(key, base) if base in domain.values else values[0]
        return hp.Choice(key, values, default=default)
    default = base if domain.low <= base <= domain.high else domain.low
    declare = hp.Int if SCHEMA[key].kind is int else hp.Float
    sampling = "log" if domain.log else "linear"
    return declare(
        key, domain.low, domain.high, step=domain.step, sampling=sampling, default=default
    )


def _encoded(key: str, value: Any) -> Any:
    """Keras Tuner knows numbers, strings and booleans: lists go as JSON."""
    return json.dumps(list(value)) if SCHEMA[key].kind is tuple else value


def _decoded(key: str, value: Any) -> Any:
    kind = SCHEMA[key].kind
    if kind is float:
        return float(f"{value:.6g}")  # 0.3, not 0.30000000000000004
    return tuple(json.loads(value)) if kind is tuple else kind(value)  # its booleans are integers


def _as_list(parent: str, wanted: Any) -> list[Any]:
    """Returns the values of a condition: one is as good as a list of one."""
    if SCHEMA[parent].kind is tuple:  # a value is a list itself
        if not isinstance(wanted, (list, tuple)):
            return [wanted]
        many = bool(wanted) and isinstance(wanted[0], (list, tuple))
        return [tuple(value) for value in wanted] if many else [tuple(wanted)]
    return list(wanted) if isinstance(wanted, (list, tuple)) else [wanted]


def shown(value: Any) -> str:
    """Returns a value as people write it."""
    return str(list(value) if isinstance(value, tuple) else value)


def _in_words(domain: Choice | Range) -> str:
    if isinstance(domain, Choice):
        text = " | ".join(map(shown, domain.values))
    else:
        text = f"{domain.low:g} to {domain.high:g}"
        text += ", logarithmic" if domain.log else ""
        if domain.step is not None:
            text += f", {'factor' if domain.log else 'step'} {domain.step:g}"
    if domain.when:
        conditions = " and ".join(
            f"{key} is {' or '.join(map(shown, _as_list(key, value)))}"
            for key, value in domain.when.items()
        )
        text += f", when {conditions}"
    return text

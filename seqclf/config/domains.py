"""`Choice` and `Range`: the values of one config key that a search may try."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from seqclf.config.convert import unknown_key
from seqclf.config.schema import SCHEMA
from seqclf.errors import ConfigError

# These keys decide which examples are compared, and how; a search over them would compare nothing.
NOT_SEARCHED = {
    *("name", "seed", "data.source", "data.mnist_dir", "data.tfds_dir", "data.validation"),
    *("data.test", "data.split_seed", "checkpoint_every", "native", "jit_compile", "shares"),
}


@dataclass(frozen=True, init=False)
class Choice:
    """One of several values.

    Attributes:
        values: two or more values of the key's type.
        when: the condition, `{key: value or list of values}`. Its keys are Choices that stand
            before this one. Where the condition does not hold, this key has its default.
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
        log: draw the logarithm evenly; this suits learning rates and widths.
        step: the distance between values, or with `log` the factor; None: any value.
        when: the condition, see `Choice`.
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


def checked_domain(key: str, domain: Any, before: Mapping[str, Choice | Range]) -> Choice | Range:
    """Returns a domain with its values converted to the key's type.

    Args:
        key: the config key.
        domain: the Choice or Range that was declared for it.
        before: the domains that were declared before this one, by key.

    Raises:
        ConfigError: the key is unknown or must not be searched, a value is not allowed, or the
            condition cannot hold.
    """
    if key not in SCHEMA:
        raise ConfigError(f"Search space: {unknown_key(str(key))}")
    if key in NOT_SEARCHED:
        raise ConfigError(
            f"Search space: `{key}` is the same for all trials and cannot be searched."
        )
    if not isinstance(domain, (Choice, Range)):
        raise ConfigError(
            f"Search space: `{key}` must be a Choice or a Range. Received: {domain!r}"
        )
    for parent, wanted in domain.when.items():
        _check_condition(key, parent, wanted, before.get(parent))
    return (
        _checked_choice(key, domain) if isinstance(domain, Choice) else _checked_range(key, domain)
    )


def _check_condition(key: str, parent: str, wanted: Any, allowed: Choice | Range | None) -> None:
    if not isinstance(allowed, Choice):
        raise ConfigError(
            f"Search space: `{key}` depends on `{parent}`, which must be a Choice that stands "
            "before it."
        )
    values = condition_values(parent, wanted)
    if not values:
        raise ConfigError(f"Search space: `{key}` depends on `{parent}` being nothing at all.")
    for value in values:
        if SCHEMA[parent].check(parent, value) not in allowed.values:
            raise ConfigError(
                f"Search space: `{key}` depends on `{parent}` being {value!r}, which is none "
                f"of its choices: {', '.join(map(repr, allowed.values))}."
            )


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
    step = None if domain.step is None else _checked_step(key, domain, low, high)
    return Range(low, high, log=domain.log, step=step, when=domain.when)


def _checked_step(key: str, domain: Range, low: float, high: float) -> float:
    step, kind = domain.step, SCHEMA[key].kind
    smallest = 1 if domain.log else 0
    if not isinstance(step, (int, float)) or isinstance(step, bool) or not step > smallest:
        raise ConfigError(
            f"Search space: the step of `{key}` must be greater than {smallest}. Received: {step!r}"
        )
    if step >= 2**63:  # it may be infinite, or too long to print
        raise ConfigError(f"Search space: the step of `{key}` leaves no value but {low!r}.")
    if kind is int and step != int(step):
        raise ConfigError(
            f"Search space: the step of `{key}` must be an integer. Received: {step!r}"
        )
    if (low * step if domain.log else low + step) > high:
        raise ConfigError(
            f"Search space: the step of `{key}` leaves no value but {low!r}. "
            f"Received: {kind(step)!r}"
        )
    converted: float = kind(step)
    return converted


def declare(hp: Any, key: str, domain: Choice | Range, base: Any) -> Any:
    """Declares a domain on Keras Tuner's `HyperParameters` and returns the value that it has there.

    Args:
        hp: the `HyperParameters`.
        key: the config key.
        domain: a checked domain.
        base: the value in the config that the search starts from. If the domain contains it, it
            becomes the default of the hyper-parameter.
    """
    if isinstance(domain, Choice):
        values = [encoded(key, value) for value in domain.values]
        default = encoded(key, base) if base in domain.values else values[0]
        return hp.Choice(key, values, default=default)
    default = base if domain.low <= base <= domain.high else domain.low
    add = hp.Int if SCHEMA[key].kind is int else hp.Float
    sampling = "log" if domain.log else "linear"
    return add(key, domain.low, domain.high, step=domain.step, sampling=sampling, default=default)


def encoded(key: str, value: Any) -> Any:
    """Returns a value as Keras Tuner takes it: a number, a string, a boolean; a list as JSON."""
    return json.dumps(list(value)) if SCHEMA[key].kind is tuple else value


def decoded(key: str, value: Any) -> Any:
    """Returns a value of Keras Tuner's as the key's type."""
    kind = SCHEMA[key].kind
    if kind is float:
        return float(f"{value:.6g}")  # 0.3, not 0.30000000000000004
    return tuple(json.loads(value)) if kind is tuple else kind(value)  # its booleans are integers


def condition_values(parent: str, wanted: Any) -> list[Any]:
    """Returns the values with which a condition holds; a single value counts as a list of one."""
    if SCHEMA[parent].kind is tuple:  # a value is a list itself
        if not isinstance(wanted, (list, tuple)):
            return [wanted]
        many = bool(wanted) and isinstance(wanted[0], (list, tuple))
        return [tuple(value) for value in wanted] if many else [tuple(wanted)]
    return list(wanted) if isinstance(wanted, (list, tuple)) else [wanted]


def shown(value: Any) -> str:
    """Returns a value as people write it."""
    return str(list(value) if isinstance(value, tuple) else value)


def domain_in_words(domain: Choice | Range) -> str:
    """Returns a domain for people, such as `0.001 to 0.3, logarithmic`."""
    if isinstance(domain, Choice):
        text = " | ".join(map(shown, domain.values))
    else:
        text = f"{domain.low:g} to {domain.high:g}"
        text += ", logarithmic" if domain.log else ""
        if domain.step is not None:
            text += f", {'factor' if domain.log else 'step'} {domain.step:g}"
    if domain.when:
        conditions = " and ".join(
            f"{key} is {' or '.join(map(shown, condition_values(key, value)))}"
            for key, value in domain.when.items()
        )
        text += f", when {conditions}"
    return text

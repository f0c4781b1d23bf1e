"""One key of the config as a dataclass field: its default, its meaning and the allowed values."""

import dataclasses
import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from seqclf.errors import ConfigError


@dataclass(frozen=True)
class Setting:
    """The default, meaning and allowed values of one config key.

    Attributes:
        default: the value of a config that does not set the key; it also fixes the type.
        doc: the meaning of the key, for messages and for the reference.
        choices: the only strings that are allowed; empty: any string.
        low: the smallest number that is allowed; None: there is none.
        high: the largest number that is allowed; None: there is none.
        above: like `low`, but the bound itself is not allowed.
        below: like `high`, but the bound itself is not allowed.
    """

    default: Any
    doc: str
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    above: float | None = None
    below: float | None = None

    @property
    def kind(self) -> type:
        """The type of the value: bool, int, float, str or tuple (of integers)."""
        return type(self.default)

    def check(self, key: str, value: Any) -> Any:
        """Returns `value` as the key's type.

        Args:
            key: the name for messages, such as `model.units`.
            value: the value to check.

        Raises:
            ConfigError: the value is of another type or out of range; key and value are named.
        """
        for number in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(number, int) and number.bit_length() > 63:  # may be too long to print
                raise ConfigError(
                    f"`{key}` must not need more than 63 bits. Received: an integer of "
                    f"{number.bit_length()} bits"
                )
        if self.kind is tuple:
            return self._checked_list(key, value)
        accepts, expected = _ACCEPTED[self.kind]
        if not accepts(value):
            raise ConfigError(
                f"`{key}` must be {expected}. Received: {value!r} (of type {type(value).__name__})"
            )
        if self.choices:
            self._check_choice(key, value)
        self._check_bounds(key, value)
        return self.kind(value)

    def _checked_list(self, key: str, value: Any) -> tuple[int, ...]:
        if not isinstance(value, (list, tuple)):
            raise ConfigError(f"`{key}` must be a list of integers. Received: {value!r}")
        low, high = self.low or 0, self.high or float("inf")
        if not all(_is_int(item) and low <= item <= high for item in value):
            end = f"to {high:g}" if self.high else "up"
            raise ConfigError(
                f"`{key}` must be a list of integers from {self.low} {end}. Received: {value!r}"
            )
        return tuple(value)

    def _check_choice(self, key: str, value: str) -> None:
        if value in self.choices:
            return
        near = difflib.get_close_matches(value, self.choices, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ConfigError(
            f"`{key}` must be one of {', '.join(map(repr, self.choices))}. "
            f"Received: {value!r}.{hint}"
        )

    def _check_bounds(self, key: str, value: Any) -> None:
        bounds: tuple[tuple[str, float | None, Callable[[float], bool]], ...] = (
            ("at least", self.low, lambda bound: value >= bound),
            ("at most", self.high, lambda bound: value <= bound),
            ("greater than", self.above, lambda bound: value > bound),
            ("less than", self.below, lambda bound: value < bound),
        )
        for words, bound, holds in bounds:
            if bound is not None and not holds(bound):  # not (x >= 0) is true of NaN as well
                raise ConfigError(f"`{key}` must be {words} {bound:g}. Received: {value!r}")
        if self.kind is float and value == float("inf"):
            raise ConfigError(f"`{key}` must be finite. Received: {value!r}")

    def allowed(self) -> str:
        """Returns in words which values are allowed, such as `a number from 0 to 0.5`."""
        if self.choices:
            return " | ".join(self.choices)
        words = "a list of integers" if self.kind is tuple else _ACCEPTED[self.kind][1]
        bounds = []
        if self.low is not None:
            bounds.append(f"from {_number(self.low)}")
        if self.above is not None:
            bounds.append(f"above {_number(self.above)}")
        if self.high is not None:
            bounds.append(f"to {_number(self.high)}")
        if self.below is not None:
            bounds.append(f"below {_number(self.below)}")
        return " ".join([words, *bounds])


def _number(bound: float) -> str:
    return f"{int(bound):,}" if bound == int(bound) else f"{bound:g}"


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_ACCEPTED: dict[type, tuple[Callable[[Any], bool], str]] = {
    bool: (lambda value: isinstance(value, bool), "True or False"),
    int: (_is_int, "an integer"),
    float: (lambda value: _is_int(value) or isinstance(value, float), "a number"),
    str: (lambda value: isinstance(value, str), "a string"),
}


def setting(default: Any, doc: str, **rules: Any) -> Any:
    """Returns a dataclass field that carries a `Setting`, whose attributes the arguments are."""
    return dataclasses.field(default=default, metadata={"setting": Setting(default, doc, **rules)})


@dataclass(frozen=True, kw_only=True)
class Group:
    """A group of config keys; a value that is not allowed cannot be held.

    Raises:
        ConfigError: a value of another type or out of range, or values that contradict each other.
    """

    prefix: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for name, known in self.settings():
            value = known.check(f"{self.prefix}{name}", getattr(self, name))
            object.__setattr__(self, name, value)  # a list as a tuple, an integer as a float
        self.check_together()

    @classmethod
    def settings(cls) -> Iterator[tuple[str, Setting]]:
        """Yields name and `Setting` of each key of the group, without those of subgroups."""
        for field in dataclasses.fields(cls):
            if "setting" in field.metadata:
                yield field.name, field.metadata["setting"]

    def check_together(self) -> None:
        """Checks values that depend on each other.

        Raises:
            ConfigError: they contradict each other.
        """

    def to_dict(self) -> dict[str, Any]:
        """Returns the values by name, sorted; those of a subgroup are a dictionary of their own."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {
            name: value.to_dict() if isinstance(value, Group) else value
            for name, value in sorted(values.items())
        }

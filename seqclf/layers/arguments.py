"""The arguments of cells and layers: their types, and how a constructor passes them on."""

import inspect
from collections.abc import Callable
from typing import Any, TypeAlias

# What Keras takes for each of them: a name, a config, or the function or object itself.
Activation: TypeAlias = str | dict[str, Any] | Callable[..., Any] | None
Initializer: TypeAlias = str | dict[str, Any] | Callable[..., Any] | None
Regularizer: TypeAlias = str | dict[str, Any] | Callable[..., Any] | None
Constraint: TypeAlias = str | dict[str, Any] | Callable[..., Any] | None


def passed_on(variables: dict[str, Any], *left_out: str) -> dict[str, Any]:
    """Returns the arguments of the constructor that calls `passed_on(locals())`, by name.

    A constructor that lists its arguments in full would otherwise repeat each of them to hand it to
    the constructor of its base class.

    Args:
        variables: `locals()`, before the constructor has any other variable than its arguments.
        *left_out: names of the arguments that the base class does not take.
    """
    others = {"self", "__class__", "kwargs", *left_out}
    named = {name: value for name, value in variables.items() if name not in others}
    return {**named, **variables["kwargs"]}


def argument_names(cls: type) -> list[str]:
    """Returns the names of the arguments that the constructor of a class lists."""
    parameters = inspect.signature(cls.__init__).parameters.values()  # type: ignore[misc]
    listed = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return [each.name for each in parameters if each.kind in listed and each.name != "self"]

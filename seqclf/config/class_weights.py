"""The text of `class_weight`: class names with their weights, such as `ok:1,fault:5`."""

import json
import math
from collections.abc import Mapping
from typing import Any

from seqclf.errors import ConfigError

WORDS = ("none", "balanced")


def class_weight_text(weights: Mapping[Any, Any]) -> str:
    """Returns class weights as the text that the key `class_weight` holds.

    Args:
        weights: weight by class name.

    Example:
        >>> class_weight_text({"ok": 1, "fault": 5})
        'ok:1,fault:5'
        >>> class_weight_text({"a, b": 1.5, "c": 1})
        '{"a, b": 1.5, "c": 1}'
    """
    names = list(map(str, weights))
    if any(mark in name for name in names for mark in ",:{") or not names:
        return json.dumps({str(name): weight for name, weight in weights.items()})
    return ",".join(f"{name}:{weight}" for name, weight in weights.items())


def class_weights_by_name(text: str) -> dict[str, float]:
    """Returns the weight of each class that the text of `class_weight` names.

    Args:
        text: such as `ok:1,fault:5`, or a JSON object, for names with a comma or a colon.

    Raises:
        ConfigError: the text is neither, a class is named twice, or a weight is no number of 0 or
            more.
    """
    weights: dict[str, float] = {}
    for name, weight in _pairs(text):
        try:
            weights[name] = float(weight)
        except (TypeError, ValueError):
            raise _wrong(text) from None
        if not 0 <= weights[name] < math.inf:
            raise ConfigError(
                f"`class_weight` must be a number of 0 or more for each class. Received: {weight} "
                f"for class {name!r}"
            )
    return weights


def _pairs(text: str) -> list[tuple[str, Any]]:
    if text.startswith("{"):
        try:
            pairs: list[tuple[str, Any]] = json.loads(text, object_pairs_hook=list)
        except ValueError:
            raise _wrong(text) from None
    else:
        pairs = [(n.strip(), w) for n, _, w in (part.rpartition(":") for part in text.split(","))]
    names = [name for name, _ in pairs]
    if not names or not all(names) or len(set(names)) < len(names):
        raise _wrong(text)
    return pairs


def _wrong(text: str) -> ConfigError:
    return ConfigError(
        "`class_weight` must be none, balanced, or each class once with its weight, such as "
        f"ok:1,fault:5 (in Python also a dictionary). Received: {text!r:.200}"
    )

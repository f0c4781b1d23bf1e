"""`Decision`: how an export comes from logits to probabilities and to the class that it answers."""

import math
from dataclasses import dataclass, field
from typing import Any

from seqclf.errors import ConfigError


@dataclass(frozen=True)
class Threshold:
    """The probability from which one of two classes is answered, though the other may be higher.

    Attributes:
        class_index: index of the class, 0 or 1.
        probability: the least probability of the class with which it is answered.
    """

    class_index: int
    probability: float


@dataclass(frozen=True)
class Decision:
    """The temperature and the threshold by which an export answers.

    Attributes:
        temperature: the logits are divided by it.
        threshold: the threshold of a class; None: the most probable class is answered.
        facts: what the manifest says about both, JSON values; {}: nothing.
    """

    temperature: float = 1.0
    threshold: Threshold | None = None
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Target:
    """The recall or the precision that a threshold must reach.

    Attributes:
        kind: `recall` or `precision`.
        value: the fraction to reach, above 0 and up to 1.
        class_name: the class whose recall or precision it is; "": the class with fewer examples.
    """

    kind: str
    value: float
    class_name: str = ""


def parse_target(recall: str | float | None, precision: str | float | None) -> Target | None:
    """Returns the target that a user gives, or None if none is given.

    Args:
        recall: the recall to reach, a fraction or `CLASS=FRACTION`; None or "": none.
        precision: the same for the precision.

    Raises:
        ConfigError: both are given, or one is no such fraction.
    """
    given = {
        kind: str(value)
        for kind, value in (("recall", recall), ("precision", precision))
        if value is not None and value != ""
    }
    if not given:
        return None
    if len(given) > 1:
        raise ConfigError("Give either target_recall or target_precision. Received: both")
    ((kind, text),) = given.items()
    name, _, number = text.rpartition("=")
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not 0 < value <= 1:
        raise ConfigError(
            f"target_{kind} is a fraction above 0 and up to 1, such as 0.95, or one for a class, "
            f"such as fault=0.95. Received: {text!r:.80}"
        )
    return Target(kind, value, name)

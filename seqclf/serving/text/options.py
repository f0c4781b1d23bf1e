"""`WritingOptions`: how a text is written; the limits of what an export takes."""

import math
import operator
from dataclasses import dataclass
from typing import Any

from seqclf.errors import ConfigError

MAX_TOKENS = 10_000  # of a prefix, and of a text that is scored
MAX_LENGTH = 1_000  # tokens that one request writes: some seconds
MAX_TEMPERATURE = 100.0


@dataclass(frozen=True)
class WritingOptions:
    """How a text is written.

    Attributes:
        length: number of tokens that are written after the prefix.
        temperature: the logits are divided by it: below 1 the probable tokens become more probable
            still; 0 takes the most probable one each time.
        top_k: each token is one of so many that are the most probable; 0: any.
        seed: the number from which the random draws follow.

    Raises:
        ConfigError: a value is out of range.
    """

    length: int = 200
    temperature: float = 0.8
    top_k: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        _check_whole("length", self.length, "from 1", 1)
        _check_whole("top_k", self.top_k, "from 0; 0 takes any token", 0)
        _check_whole("seed", self.seed, "of 64 bits", -(2**63), 2**63 - 1)
        try:
            right = 0 <= float(self.temperature) <= MAX_TEMPERATURE
        except (TypeError, ValueError):
            right = False
        if not right:
            raise ConfigError(
                f"`temperature` must be a number from 0 to {MAX_TEMPERATURE:g}; 0 takes the most "
                f"probable token each time. Received: {self.temperature!r:.80}"
            )

    def check_vocabulary(self, size: int) -> None:
        """Checks the options against a vocabulary.

        Args:
            size: V, the number of tokens of the vocabulary, the unknown one among them.

        Raises:
            ConfigError: `top_k` is larger than the vocabulary.
        """
        if self.top_k > size:
            raise ConfigError(
                f"`top_k` must be from 0 to {size:,}, the size of the vocabulary. Received: "
                f"{self.top_k:,}"
            )


def _check_whole(name: str, value: Any, range_: str, low: int, high: float = math.inf) -> None:
    try:
        right = not isinstance(value, bool) and low <= operator.index(value) <= high
    except TypeError:
        right = False
    if not right:
        raise ConfigError(f"`{name}` must be a whole number {range_}. Received: {value!r:.80}")

"""`fingerprint`: a short name for the numbers of a config."""

import hashlib
import json
from typing import Any

from seqclf.config import Config, flatten

NOT_NUMBERS = ("name", "seed")  # what says nothing about how good a recipe is


def numbers(config: Config) -> dict[str, Any]:
    """Returns the values of a config by which it trains, by key.

    Keys at their defaults are left out, so that a key that is added later changes nothing. So are
    the name and the seed, and the source of the data.
    """
    defaults = flatten(Config())
    return {
        key: value
        for key, value in flatten(config).items()
        if value != defaults[key] and key not in (*NOT_NUMBERS, "data.source")
    }


def fingerprint(config: Config) -> str:
    """Returns 12 hexadecimal digits that two configs share if their `numbers` are the same."""
    text = json.dumps(numbers(config), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]

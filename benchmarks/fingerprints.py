"""`fingerprint`: a short name for the numbers of a config."""

import hashlib
import json

from seqclf.config import Config, flatten

NOT_NUMBERS = ("name", "seed")  # what says nothing about how good a recipe is


def fingerprint(config: Config) -> str:
    """Returns 12 hexadecimal digits that two configs share if they train alike.

    Keys at their defaults do not count, so that a key that is added later changes no fingerprint.
    Nor do the name and the seed, and the source of the data.
    """
    defaults = flatten(Config())
    values = {
        key: value
        for key, value in flatten(config).items()
        if value != defaults[key] and key not in (*NOT_NUMBERS, "data.source")
    }
    text = json.dumps(values, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]

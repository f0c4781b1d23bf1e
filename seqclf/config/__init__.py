"""The config: every number that decides a run; and what a search may change of it."""

from seqclf.config.schema import (
    SCHEMA,
    check_value,
    default_config,
    differences,
    examples_per_step,
    flatten,
    from_json,
    nest,
    resolve,
    to_json,
    unknown_key,
)

__all__ = [
    "SCHEMA",
    "check_value",
    "default_config",
    "differences",
    "examples_per_step",
    "flatten",
    "from_json",
    "nest",
    "resolve",
    "to_json",
    "unknown_key",
]

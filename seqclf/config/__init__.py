"""The config: every number that decides a run; and what a search may change of it."""

from seqclf.config.convert import (
    ConfigLike,
    as_begun,
    default_config,
    differences,
    flatten,
    from_json,
    nest,
    resolve,
    to_json,
    unknown_key,
)
from seqclf.config.groups import AugmentConfig, DataConfig, ModelConfig, OptimizerConfig
from seqclf.config.refusal import refuse
from seqclf.config.schema import CRITERIA, SCHEMA, Config, with_length

__all__ = [
    "CRITERIA",
    "SCHEMA",
    "AugmentConfig",
    "Config",
    "ConfigLike",
    "DataConfig",
    "ModelConfig",
    "OptimizerConfig",
    "as_begun",
    "default_config",
    "differences",
    "flatten",
    "from_json",
    "nest",
    "refuse",
    "resolve",
    "to_json",
    "unknown_key",
    "with_length",
]

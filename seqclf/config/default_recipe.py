"""The recipe that is used when no `--config` is given: MNIST by rows with the default values."""

import ml_collections

from seqclf.config import default_config


def get_config() -> ml_collections.ConfigDict:
    return default_config()

"""A recipe as version 0.1 has them: a function that changes what default_config() returns."""

from seqclf.config import default_config
from seqclf.search_space import Choice, Range


def get_config():
    config = default_config()
    config.name = "small"
    config.data.source = "digits"
    config.model.units = [4]
    config.batch_size = 64
    config.steps = 24
    config.validate_every = 8
    config.checkpoint_every = 8
    config.jit_compile = False
    config.optimizer.warmup_steps = 4
    return config


def get_search_space():
    return {
        "optimizer.learning_rate": Range(1e-3, 1e-1, log=True),
        "model.units": Choice([4], [3, 3]),
        "model.dropout": Range(0.0, 0.5, step=0.25, when={"model.units": [4]}),
    }

"""The classic: two layers of 100, batch 100, Adam at a constant 0.01, 3,000 steps.

    python -m seqclf.train --config=configs/mnist_classic.py

The recipe of the textbooks, kept as it is, to compare with. It climbs to about 97.5 % and then
decays, because a constant rate of 0.01 is too high to settle: see `mnist.py` for the remedy. The
model is the last one, not the best one, as in the classic.
"""

from seqclf.config import default_config


def get_config():
    config = default_config()
    config.name = "mnist_classic"
    config.data.source = "mnist"
    config.model.units = [100, 100]
    config.optimizer.schedule = "constant"
    config.optimizer.learning_rate = 0.01
    config.optimizer.clip_norm = 0.0
    config.batch_size = 100
    config.steps = 3000
    config.validate_every = 100
    config.select = "last"
    return config

"""MNIST read row by row, in as long a training as accuracy pays for.

    python -m seqclf.train --config=configs/mnist_best.py

Read in both directions, layer normalisation, distorted anew in every epoch; each step reads 256
digits and learns from the 64 that it got most wrong.
"""

from seqclf.config import default_config


def get_config():
    config = default_config()
    config.name = "mnist_best"
    config.data.source = "mnist"
    config.data.normalize = "global"
    config.augment.shift = 0.06  # 1.7 pixels
    config.augment.rotation = 10.0
    config.augment.scale = 0.1
    config.augment.shear = 6.0
    config.augment.elastic = 0.02  # 0.6 pixels
    config.model.units = [128, 128]
    config.model.bidirectional = True
    config.model.layer_norm = True
    config.optimizer.name = "adamw"
    config.optimizer.weight_decay = 0.01
    config.optimizer.learning_rate = 0.003
    config.optimizer.warmup_steps = 500
    config.batch_size = 64
    config.batch_selection = 4
    config.steps = 12_000  # 57 epochs
    config.validate_every = 1000
    config.checkpoint_every = 500
    config.select = "last"
    return config

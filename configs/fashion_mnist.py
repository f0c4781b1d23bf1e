"""Fashion-MNIST read row by row: ten kinds of clothing, harder than digits.

    python -m seqclf.train --config=configs/fashion_mnist.py
    python -m seqclf.train --config=configs/fashion_mnist.py --config.data.source=idx:FOLDER

As `mnist_best.py` without selection, with the distortions that clothes bear: a shoe may look the
other way, but the pictures stand upright and fill the frame. Chosen by analogy: these numbers were
not searched.
"""

from seqclf.config import default_config


def get_config():
    config = default_config()
    config.name = "fashion_mnist"
    config.data.source = "fashion_mnist"
    config.data.normalize = "global"
    config.augment.flip = True
    config.augment.shift = 0.05
    config.augment.scale = 0.08
    config.augment.elastic = 0.01
    config.model.units = [128, 128]
    config.model.bidirectional = True
    config.model.layer_norm = True
    config.optimizer.name = "adamw"
    config.optimizer.weight_decay = 0.05
    config.optimizer.learning_rate = 0.003
    config.batch_size = 128
    config.steps = 8000  # 19 epochs
    config.validate_every = 500
    return config

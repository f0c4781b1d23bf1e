"""Fashion-MNIST read row by row: ten kinds of clothing, harder than digits.

    python -m seqclf.train --config=configs/fashion_mnist.py
    python -m seqclf.train --config=configs/fashion_mnist.py --config.data.source=idx:FOLDER

Longer than `mnist.py` and with dropout: this data set is one that a model can learn by heart.
"""

from seqclf.config import default_config


def get_config():
    config = default_config()
    config.name = "fashion_mnist"
    config.data.source = "fashion_mnist"
    config.model.units = [128, 128]
    config.model.dropout = 0.2
    config.optimizer.learning_rate = 0.004
    config.batch_size = 128
    config.steps = 5000
    config.validate_every = 500
    return config

"""MNIST read pixel by pixel: 784 steps of one number.

    python -m seqclf.train --config=configs/mnist_pixels.py

The first layer reads every pixel, the second its state at the end of each row of 28: what the first
pixel had to say reaches the answer in 28 + 28 steps instead of 784, forwards and backwards.
"""

from seqclf.config import default_config


def get_config():
    config = default_config()
    config.name = "mnist_pixels"
    config.data.source = "mnist"
    config.data.reading = "pixels"
    config.data.normalize = "global"
    config.model.units = [64, 128]
    config.model.time_reduction = [28]
    config.model.layer_norm = True
    config.optimizer.learning_rate = 0.005
    config.batch_size = 128
    config.steps = 3000  # 7 epochs
    config.validate_every = 300
    return config

"""MNIST read pixel by pixel, in an order that is drawn once: 784 time steps of one number.

    python -m seqclf.train --config=configs/mnist_permuted.py

What is near in the image is far apart in time, so that every prediction needs a long memory. No
image is distorted: that would tell which pixels are neighbours. The second layer reads the first
layer's state after each 28 pixels.
"""

from seqclf.config import Config, DataConfig, ModelConfig, OptimizerConfig


def get_config() -> Config:
    return Config(
        name="mnist_permuted",
        data=DataConfig(
            source="mnist",
            reading="permuted",
            normalize="global",
        ),
        model=ModelConfig(
            units=(128, 128),
            time_reduction=(28,),
            layer_norm=True,
        ),
        optimizer=OptimizerConfig(learning_rate=0.003),
        batch_size=128,
        steps=4000,  # 9 epochs
        validate_every=400,
    )

"""MNIST read pixel by pixel, in an order that is drawn once: 784 time steps of one number.

    python -m seqclf.train --config=configs/mnist_permuted.py

What is near in the image is far apart in time, so that every prediction needs a long memory. No
image is distorted: that would tell which pixels are neighbours. The second layer reads the first
layer's state after each 7 pixels, the third the second's after each 28.

The numbers were chosen by validation: docs/recipes.md has all attempts.
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
            units=(64, 128, 128),
            time_reduction=(7, 4),
            layer_norm=True,
            pooling="mean",
            dropout=0.3,
        ),
        optimizer=OptimizerConfig(
            name="adamw",
            weight_decay=0.05,
            learning_rate=0.003,
        ),
        batch_size=128,
        steps=4000,  # 9 epochs
        validate_every=400,
    )

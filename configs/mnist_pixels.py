"""MNIST read pixel by pixel: 784 time steps of one number.

    python -m seqclf.train --config=configs/mnist_pixels.py

The first layer reads every pixel; the second reads the first layer's state at the end of each row
of 28 pixels. So the first pixel is 28 + 28 time steps from the prediction instead of 784, forwards
and backwards. Images are distorted anew in every epoch, before their pixels are put in a line.

The numbers were chosen by validation: docs/recipes.md has all attempts.
"""

from seqclf.config import AugmentConfig, Config, DataConfig, ModelConfig, OptimizerConfig


def get_config() -> Config:
    return Config(
        name="mnist_pixels",
        data=DataConfig(
            source="mnist",
            reading="pixels",
            normalize="global",
        ),
        augment=AugmentConfig(
            shift=0.06,  # 1.7 pixels
            rotation=10.0,
            elastic=0.02,  # 0.6 pixels
        ),
        model=ModelConfig(
            units=(64, 128),
            time_reduction=(28,),
            layer_norm=True,
            pooling="mean",
        ),
        optimizer=OptimizerConfig(
            name="adamw",
            weight_decay=0.05,
            learning_rate=0.003,
        ),
        batch_size=128,
        steps=6000,  # 14 epochs
        validate_every=300,
    )

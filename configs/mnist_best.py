"""MNIST read row by row, as well as we can within half an hour on one core.

    python -m seqclf.train --config=configs/mnist_best.py

Both directions, layer normalisation, the mean of the states beside the last, and images that are
distorted anew in every epoch; each step reads 256 digits and learns from the 64 with the largest
loss.

Width, dropout and steps were chosen by validation: docs/recipes.md has all attempts.
"""

from seqclf.config import AugmentConfig, Config, DataConfig, ModelConfig, OptimizerConfig


def get_config() -> Config:
    return Config(
        name="mnist_best",
        data=DataConfig(
            source="mnist",
            normalize="global",
        ),
        augment=AugmentConfig(
            shift=0.06,  # 1.7 pixels
            rotation=10.0,
            scale=0.1,
            shear=6.0,
            elastic=0.02,  # 0.6 pixels
        ),
        model=ModelConfig(
            units=(192, 192),
            bidirectional=True,
            layer_norm=True,
            pooling="mean",
            dropout=0.1,
        ),
        optimizer=OptimizerConfig(
            name="adamw",
            weight_decay=0.01,
            learning_rate=0.003,
            warmup_steps=500,
        ),
        batch_size=64,
        batch_selection=4,
        steps=6000,  # 28 epochs
        validate_every=1000,
        checkpoint_every=500,
        select="last",
    )

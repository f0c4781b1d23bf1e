"""MNIST read row by row, with a training so long that more steps hardly raise the accuracy.

    python -m seqclf.train --config=configs/mnist_best.py

Both directions, layer normalisation, and images that are distorted anew in every epoch; each step
reads 256 digits and learns from the 64 with the largest loss.
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
            units=(128, 128),
            bidirectional=True,
            layer_norm=True,
        ),
        optimizer=OptimizerConfig(
            name="adamw",
            weight_decay=0.01,
            learning_rate=0.003,
            warmup_steps=500,
        ),
        batch_size=64,
        batch_selection=4,
        steps=12_000,  # 57 epochs
        validate_every=1000,
        checkpoint_every=500,
        select="last",
    )

"""MNIST read row by row, with a training just long enough for 99 %.

    python -m seqclf.train --config=configs/mnist_fast.py

Each step reads 256 digits and learns from the 64 with the largest loss. The head reads the mean of
all states beside the last one.
"""

from seqclf.config import Config, DataConfig, ModelConfig


def get_config() -> Config:
    return Config(
        name="mnist_fast",
        data=DataConfig(
            source="mnist",
            normalize="global",
        ),
        model=ModelConfig(units=(96, 96), pooling="mean"),
        batch_size=64,
        batch_selection=4,
        steps=700,
        validate_every=350,
    )

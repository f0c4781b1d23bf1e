"""MNIST read pixel by pixel: 784 time steps of one number.

    python -m seqclf.train --config=configs/mnist_pixels.py

The first layer reads every pixel; the second reads the first layer's state at the end of each row
of 28 pixels. So the first pixel is 28 + 28 time steps from the prediction instead of 784, forwards
and backwards.
"""

from seqclf.config import Config, DataConfig, ModelConfig, OptimizerConfig


def get_config() -> Config:
    return Config(
        name="mnist_pixels",
        data=DataConfig(
            source="mnist",
            reading="pixels",
            normalize="global",
        ),
        model=ModelConfig(
            units=(64, 128),
            time_reduction=(28,),
            layer_norm=True,
        ),
        optimizer=OptimizerConfig(learning_rate=0.005),
        batch_size=128,
        steps=3000,  # 7 epochs
        validate_every=300,
    )

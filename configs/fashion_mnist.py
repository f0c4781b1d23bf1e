"""Fashion-MNIST read row by row: ten kinds of clothing, harder than digits.

    python -m seqclf.train --config=configs/fashion_mnist.py
    python -m seqclf.train --config=configs/fashion_mnist.py --config.data.source=idx:FOLDER

Like `mnist_best.py`, but narrower and without batch selection, with distortions that suit clothes:
a shoe may point the other way, but the images are upright and fill the frame. How strong they are,
the dropout and the mean were chosen by validation: docs/recipes.md has all attempts.
"""

from seqclf.config import AugmentConfig, Config, DataConfig, ModelConfig, OptimizerConfig


def get_config() -> Config:
    return Config(
        name="fashion_mnist",
        data=DataConfig(
            source="fashion_mnist",
            normalize="global",
        ),
        augment=AugmentConfig(
            flip=True,
            shift=0.025,  # 0.7 pixels
            scale=0.04,
            elastic=0.005,  # 0.14 pixels
        ),
        model=ModelConfig(
            units=(128, 128),
            bidirectional=True,
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
        steps=8000,  # 19 epochs
        validate_every=500,
    )

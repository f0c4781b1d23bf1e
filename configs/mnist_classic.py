"""The classic: two layers of 100, batch 100, Adam at a constant 0.01, 3,000 steps.

    python -m seqclf.train --config=configs/mnist_classic.py

The recipe of the textbooks, kept as it is, to compare with. It climbs to about 97.5 % and then
gets worse, because a constant rate of 0.01 is too high to settle: see `mnist.py` for the remedy.
The model is the last one, not the best one, as in the classic.
"""

from seqclf.config import Config, DataConfig, ModelConfig, OptimizerConfig


def get_config() -> Config:
    return Config(
        name="mnist_classic",
        data=DataConfig(source="mnist"),
        model=ModelConfig(units=(100, 100)),
        optimizer=OptimizerConfig(
            schedule="constant",
            learning_rate=0.01,
            clip_norm=0.0,
        ),
        batch_size=100,
        steps=3000,
        validate_every=100,
        select="last",
    )

"""The textbooks' character language model: it learns 10,000 characters by heart.

    python -m seqclf.train --config=configs/timemachine_classic.py

One GRU of 256 units on one-hot characters, the reset gate before the product, batches of 32 windows
of 35, gradient descent at a rate of 1 with the gradient clipped to a norm of 1, 500 epochs of 8
steps (Zhang et al., "Dive into Deep Learning", chapter 9). The perplexity on what it learns from
falls towards 1. On the rest of the book, which it has not read, it gets worse and worse: see
`char_lm.py` for a model that reads.
"""

from seqclf.config import Config, DataConfig, ModelConfig, OptimizerConfig


def get_config() -> Config:
    return Config(
        name="timemachine_classic",
        data=DataConfig(
            source="text:timemachine",
            letters_only=True,
            line_ends="drop",
            max_tokens=10_000,
            window=35,
        ),
        model=ModelConfig(units=(256,), reset_after=False),
        optimizer=OptimizerConfig(
            name="sgd", momentum=0.0, learning_rate=1.0, schedule="constant", clip_norm=1.0
        ),
        batch_size=32,
        steps=4000,
        validate_every=200,
        checkpoint_every=200,
        select="last",
    )

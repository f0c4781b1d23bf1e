"""Words of The Time Machine: a small language model over some 4,000 words.

    python -m seqclf.train --config=configs/word_lm.py

Words that the training part has not, and its rarer ones, are read as `<unk>`; punctuation marks are
words. A book has few words to learn from: the perplexity stays high, and the model is small and
strongly regularised.
"""

from seqclf.config import Config, DataConfig, ModelConfig, OptimizerConfig


def get_config() -> Config:
    return Config(
        name="word_lm",
        data=DataConfig(
            source="text:timemachine", tokens="words", vocabulary=2000, test=0.1, window=35
        ),
        model=ModelConfig(units=(128,), embedding=128, embedding_dropout=0.5, dropout=0.5),
        optimizer=OptimizerConfig(learning_rate=0.003, warmup_steps=100),
        batch_size=32,
        steps=1000,
        validate_every=100,
        checkpoint_every=200,
    )

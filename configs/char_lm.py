"""Characters of The Time Machine: a language model that is judged by pages it has not read.

    python -m seqclf.train --config=configs/char_lm.py

Letters and spaces, line ends kept as spaces; the last tenth of the book is held out. On a book as
small as this a GRU soon learns by heart, so dropout is strong: the same units at all time steps.
`data.source=text:FILE` reads another text; `data.letters_only=false` keeps all its characters.
"""

from seqclf.config import Config, DataConfig, ModelConfig, OptimizerConfig


def get_config() -> Config:
    return Config(
        name="char_lm",
        data=DataConfig(source="text:timemachine", letters_only=True, test=0.1, window=100),
        model=ModelConfig(units=(256,), dropout=0.5),
        optimizer=OptimizerConfig(learning_rate=0.003, warmup_steps=100),
        batch_size=32,
        steps=2000,
        validate_every=100,
        checkpoint_every=200,
    )

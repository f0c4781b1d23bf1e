"""Characters of The Time Machine: a language model that is judged by pages it has not read.

    python -m seqclf.train --config=configs/char_lm.py

Letters and spaces, line ends kept as spaces; the last tenth of the book is held out. On a book as
small as this a GRU soon learns by heart, so it is trained without a part of its state and a part of
its recurrent kernel, another one in each step. It takes about ten minutes on two cores;
docs/text.md has what it reaches, and `python -m benchmarks.held_out_text` measures it.
`data.source=text:FILE` reads another text; `data.letters_only=false` keeps all its characters.
"""

from seqclf.config import Config, DataConfig, ModelConfig, OptimizerConfig


def get_config() -> Config:
    return Config(
        name="char_lm",
        data=DataConfig(source="text:timemachine", letters_only=True, test=0.1, window=64),
        model=ModelConfig(
            units=(512,), embedding=64, embedding_dropout=0.1, dropout=0.4, weight_drop=0.2
        ),
        optimizer=OptimizerConfig(learning_rate=0.003, warmup_steps=100),
        batch_size=16,
        steps=6000,
        validate_every=500,
        checkpoint_every=500,
    )

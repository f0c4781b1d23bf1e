"""Time series of the archives: convolutions beside a GRU, the same numbers for every set.

    python -m seqclf.train --config=configs/series.py \
        --config.data.source=tsv:GunPoint_TRAIN.tsv,GunPoint_TEST.tsv

All training examples are trained on, and the last weights become the model: the sets are small.
`python -m benchmarks.series.choosing` compares changes of these numbers, and `python -m
benchmarks.series` the recipe with what people would use instead: docs/series.md.
"""

from seqclf.config import Config, DataConfig, ModelConfig, OptimizerConfig


def get_config() -> Config:
    return Config(
        name="series",
        data=DataConfig(
            validation=0.0,
        ),
        model=ModelConfig(
            units=(64,),
            conv=(64, 128, 128, 128, 64),
            conv_dilation=2,
            conv_pooling="max",
            dropout=0.2,
        ),
        optimizer=OptimizerConfig(
            learning_rate=0.003,
            warmup_steps=20,
        ),
        batch_size=16,
        steps=2_000,
    )

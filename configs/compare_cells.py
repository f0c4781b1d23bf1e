"""The recurrent cells side by side, on one recipe: MNIST, row by row.

    python -m seqclf.compare --config=configs/compare_cells.py
    python -m seqclf.compare --config=configs/compare_cells.py --config.data.source=digits
    python -m seqclf.compare --config=configs/compare_cells.py --config.data.reading=pixels

`model.units` are the widths of the reference, the GRU; `seqclf.compare` sets those of the others.
"""

from seqclf.config import Config, DataConfig, ModelConfig, OptimizerConfig


def get_config() -> Config:
    return Config(
        name="compare_cells",
        data=DataConfig(
            source="mnist",
            normalize="global",
        ),
        model=ModelConfig(units=(64, 64)),
        optimizer=OptimizerConfig(
            learning_rate=0.003,  # the same for all cells
        ),
        batch_size=128,
        steps=1200,
        validate_every=200,
        select="last",
    )

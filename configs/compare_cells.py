"""The recurrent cells side by side, on one recipe: MNIST, row by row.

    python -m seqclf.compare --config=configs/compare_cells.py
    python -m seqclf.compare --config=configs/compare_cells.py --config.data.source=digits
    python -m seqclf.compare --config=configs/compare_cells.py --config.data.reading=pixels

`model.units` are the widths of the reference, the GRU; `seqclf.compare` sets those of the others.
"""

from seqclf.config import default_config


def get_config():
    config = default_config()
    config.name = "compare_cells"
    config.data.source = "mnist"
    config.data.normalize = "global"
    config.model.units = [64, 64]
    config.optimizer.learning_rate = 0.003  # one for all cells
    config.batch_size = 128
    config.steps = 1200
    config.validate_every = 200
    config.select = "last"
    return config

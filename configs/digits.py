"""The bundled 8×8 digits: no download, the whole path in half a minute on 2 cores.

python -m seqclf.train --config=configs/digits.py
"""

from seqclf.config import default_config


def get_config():
    config = default_config()
    config.name = "digits"
    config.data.source = "digits"
    config.model.units = [64, 64]
    config.model.dropout = 0.3  # 1,293 examples are soon learnt by heart
    config.label_smoothing = 0.1
    config.batch_size = 64
    config.steps = 1500
    config.validate_every = 100
    return config

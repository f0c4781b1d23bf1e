"""The bundled 8×8 digits: no download, the whole path in half a minute on 2 cores.

python -m seqclf.train --config=configs/digits.py
python -m seqclf.tune --config=configs/digits.py --tuner=bayesian --max_trials=20
"""

from seqclf.config import Config, DataConfig, ModelConfig
from seqclf.config.search_space import Choice, Range


def get_config() -> Config:
    return Config(
        name="digits",
        data=DataConfig(source="digits"),
        model=ModelConfig(
            units=(64, 64),
            dropout=0.3,  # 1,293 examples are soon learnt by heart
        ),
        label_smoothing=0.1,
        batch_size=64,
        steps=1500,
        validate_every=100,
    )


def get_search_space() -> dict[str, Choice | Range]:
    return {
        "model.units": Choice([32, 32], [64, 64], [96, 96], [128]),
        "model.dropout": Range(0.0, 0.5, step=0.1),
        "model.bidirectional": Choice(False, True),
        "optimizer.learning_rate": Range(0.001, 0.02, log=True),
        "optimizer.name": Choice("adam", "adamw"),
        "optimizer.weight_decay": Range(0.001, 0.3, log=True, when={"optimizer.name": "adamw"}),
        "optimizer.clip_norm": Choice(0.0, 0.3, 1.0),
        "label_smoothing": Range(0.0, 0.2, step=0.05),
        "batch_size": Choice(32, 64, 128),
    }

"""The config that suits a dataset."""

import numpy as np
import pytest

import seqclf
from seqclf.api.defaults import completed, suited_config
from seqclf.config import DataConfig, ModelConfig
from seqclf.errors import ConfigError
from seqclf.training.effective import check_fits_data


@pytest.mark.parametrize("count", [10, 16, 60, 500, 3000, 9000])
def test_it_fits_data_of_any_size(count):
    x = np.zeros((count, 2, 1), np.float32)
    x[::2] = 1
    data = seqclf.Dataset.from_arrays(x, np.arange(count) % 2, validation=0.2)
    config = suited_config(data)
    check_fits_data(config, data)
    train = len(data.train)
    assert config.batch_size <= max(1, train // 8)
    assert config.batch_size == 128 or config.batch_size > train // 32
    assert 300 <= config.steps <= 2000
    assert config.steps // config.validate_every == 20
    assert config.optimizer.warmup_steps < config.steps
    assert config.data == data.options


def test_keys_that_are_given_stay(tmp_path, capsys):
    digits = seqclf.load_dataset("digits")
    changes = {"model": {"units": [4]}, "steps": 3, "jit_compile": False}
    run = seqclf.fit(changes, digits, workdir=tmp_path / "run", export=False)
    assert run.config.model.units == (4,)
    assert run.config.steps == 3
    assert run.config.batch_size == suited_config(digits).batch_size
    assert (
        "keys that are not given have values that suit 1,293 training examples"
        in capsys.readouterr().out
    )


def test_epochs_that_are_given_are_the_length():
    digits = seqclf.load_dataset("digits")
    config = completed({"epochs": 3.0, "data.source": "digits"}, digits)
    assert (config.steps, config.epochs, config.early_stopping) == (0, 3.0, 0)
    assert completed({}, digits) == suited_config(digits)
    assert completed({"steps": 9, "early_stopping": 2}, digits).early_stopping == 2


def test_keys_of_data_are_refused_beside_a_dataset(tmp_path):
    digits = seqclf.load_dataset("digits")
    with pytest.raises(ConfigError, match="`data.test` cannot be changed for a dataset"):
        seqclf.fit({"data": {"test": 0.4}}, digits, workdir=tmp_path / "run")
    recipe = seqclf.Config(data=DataConfig(source="mnist"), steps=1, model=ModelConfig(units=(2,)))
    run = seqclf.fit(recipe, digits, workdir=tmp_path / "run", export=False)
    assert run.config.data.source == "digits"  # of a whole config the data is replaced

"""Every config key decides something: trainings are watched for the keys that they read."""

import dataclasses
import sys
import typing
from pathlib import Path

import pytest

import seqclf
from seqclf.config import SCHEMA, resolve
from seqclf.config.settings import Group
from seqclf.data.augmentation import Augmentation
from seqclf.data.options import DataOptions
from seqclf.data.sources import load_dataset
from seqclf.errors import ConfigError
from seqclf.models.classifier import build_classifier
from seqclf.models.language_model import build_language_model
from seqclf.storage.run_directory import Run
from seqclf.training.carried_state import CarriedState
from seqclf.training.distribution.strategy import make_workers
from seqclf.training.effective import total_steps
from seqclf.training.loop import fit
from seqclf.training.optimizers import build_optimizer

PACKAGE = Path(seqclf.__file__).parent
TINY = {
    "data": {"source": "digits"},
    "model": {"units": [3, 2]},
    "batch_size": 16,
    "batch_selection": 2,
    "steps": 3,
    "validate_every": 1,
    "optimizer": {"learning_rate": 1e-9},  # a validation like the one before counts as stale
    "jit_compile": False,
}
# The commands make a run's folder of it; tests/commands/test_commands.py sees the folder.
READ_BY_COMMANDS = {"name"}


@pytest.fixture
def read(monkeypatch):
    """A set that collects the keys that the package reads, outside of `seqclf.config`."""
    found = set()
    plain = object.__getattribute__

    def recording(self, name):
        frame = sys._getframe(1)
        # Who asks for `examples_per_step` reads what it is made of; `recording` is in between.
        while isinstance(getattr(type(self), frame.f_code.co_name, None), property):
            frame = frame.f_back.f_back
        file = Path(frame.f_code.co_filename)
        if file.is_relative_to(PACKAGE) and not file.is_relative_to(PACKAGE / "config"):
            found.add(f"{type(self).prefix}{name}")
        return plain(self, name)

    monkeypatch.setattr(Group, "__getattribute__", recording, raising=False)
    return found


def test_a_key_that_is_only_checked_and_copied_does_not_count_as_read(read):
    config = resolve(TINY)
    assert resolve(config.to_dict()) == config and repr(config)
    assert not read & SCHEMA.keys()


def test_every_key_is_read_by_a_training(read, tmp_path):
    config = resolve(TINY)
    dataset = load_dataset("digits")
    run = Run(tmp_path / "run")
    run.prepare(config)
    fit(config, dataset, run, workers=make_workers(config))
    for name in ("adamw", "sgd"):
        build_optimizer(config.changed({"optimizer.name": name}), 10)
    assert total_steps(config.changed({"steps": 0, "epochs": 0.1}), dataset) == 4
    changes = {"model.chrono": 8, "model.conv": [2], "model.conv_dilation": 2}
    changes |= {"model.conv_pooling": "max"}
    build_classifier(config.changed(changes), dataset.spec)
    text = load_dataset("text:timemachine", letters_only=True)
    model = build_language_model(config.changed({"model.embedding": 2}), text.spec)
    CarriedState(model, build_optimizer(config, 10), config, make_workers(config))

    passed_on = {
        *(f"data.{name}" for name in typing.get_type_hints(DataOptions)),
        *(f"augment.{field.name}" for field in dataclasses.fields(Augmentation)),
    }
    unread = SCHEMA.keys() - read - passed_on - READ_BY_COMMANDS
    assert not unread, f"read by nothing: {sorted(unread)}"
    assert not passed_on - SCHEMA.keys(), "a parameter that no key gives"


def test_load_dataset_takes_every_key_of_data():
    keys = {f"data.{name}" for name in typing.get_type_hints(DataOptions)}
    assert keys == {key for key in SCHEMA if key.startswith("data.")} - {"data.source"}
    with pytest.raises(ConfigError, match=r"Unknown config key `data.missin`. Did you mean"):
        load_dataset("digits", missin="mean")

"""What a training saves and restores."""

import dataclasses
import json
import tarfile

import numpy as np
import pytest
from running import ROOT

from seqclf import build_classifier, load_dataset
from seqclf.errors import TrainingError
from seqclf.storage.run_directory import Run
from seqclf.training.distribution.workers import Workers
from seqclf.training.optimizers import build_optimizer
from seqclf.training.recovery import Recovery
from seqclf.training.state import State


@pytest.fixture
def stopped(tmp_path):
    """A run of version 0.1 that was stopped after step 6."""
    with tarfile.open(ROOT / "tests" / "data_of_0_1" / "runs.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    return Run(tmp_path / "stopped")


def built(run):
    config = run.read_config()
    model = build_classifier(config, load_dataset("digits").spec)
    optimizer = build_optimizer(config, config.steps)
    optimizer.build(model.trainable_variables)
    return model, optimizer, Recovery(run, Workers(), model, optimizer)


def test_a_checkpoint_of_version_0_1_is_restored_to_the_bit(stopped):
    model, optimizer, recovery = built(stopped)
    state = recovery.resume()
    with np.load(stopped.checkpoints / "step-000000006.npz") as archive:
        later = {"best_loss": None, "best_value": None}  # fields that version 0.1 did not have
        assert dataclasses.asdict(state) == json.loads(str(archive["state"])) | later
        for group, variables in {
            "model": model.variables,
            "optimizer": optimizer.variables,
        }.items():
            for index, variable in enumerate(variables):
                name = f"{group}/{index:03d}/{variable.name}"
                np.testing.assert_array_equal(np.asarray(variable), archive[name], err_msg=name)
    assert state.step == 6 and 0 < state.best_accuracy < 1


def test_saved_and_resumed(stopped):
    model, _, recovery = built(stopped)
    state = State(step=8, best_accuracy=0.5, best_step=4, interval_loss=0.1, train_seconds=1.5)
    recovery.save(state)
    weights = model.get_weights()
    model.set_weights([0 * weight for weight in weights])
    assert recovery.resume() == state
    for restored, saved in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(restored, saved)


def test_weights_that_are_not_finite_replace_no_checkpoint(stopped):
    model, _, recovery = built(stopped)
    before = sorted(stopped.checkpoints.iterdir())
    model.set_weights([np.full_like(weight, np.nan) for weight in model.get_weights()])
    for save in (lambda: recovery.save(State(step=8)), lambda: recovery.save_best(8)):
        with pytest.raises(TrainingError, match="not finite at step 8: .*of step 6, stays in"):
            save()
    assert sorted(stopped.checkpoints.iterdir()) == before

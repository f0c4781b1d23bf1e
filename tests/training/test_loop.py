"""fit, in this process, on the bundled digits."""

import keras
import numpy as np
import pytest

from seqclf import load_dataset
from seqclf.config import resolve
from seqclf.errors import RunError, TrainingError
from seqclf.storage.run_directory import Run
from seqclf.training.checkpoints import restore_latest
from seqclf.training.evaluation import Scorer
from seqclf.training.loop import fit
from seqclf.training.metrics_log import read_metrics

SMALL = {
    "data": {"source": "digits"},
    "model": {"units": [24]},
    "batch_size": 64,
    "steps": 60,
    "validate_every": 20,
    "checkpoint_every": 15,
}


def config(**changes):
    merged = {k: dict(v) if isinstance(v, dict) else v for k, v in SMALL.items()}
    for key, value in changes.items():
        merged[key] = {**merged.get(key, {}), **value} if isinstance(value, dict) else value
    return resolve(merged)


@pytest.fixture(scope="module")
def digits():
    return load_dataset("digits")


def prepared(path, chosen):
    run = Run(path)
    run.prepare(chosen)
    return run


def train(path, digits, **changes):
    chosen = config(**changes)
    run = prepared(path, chosen)
    model, state, _ = fit(chosen, digits, run)
    return run, model, state


def test_it_learns(tmp_path, digits):
    run, model, state = train(tmp_path / "a", digits, steps=300, optimizer={"learning_rate": 0.02})
    score = Scorer(model, digits.spec)(digits.test)
    assert score.accuracy > 0.9
    records = read_metrics(run)
    assert [record["step"] for record in records] == list(range(20, 301, 20))
    assert state.best_accuracy == max(record["validation_accuracy"] for record in records)
    assert records[-1]["train_loss"] < 0.3 * records[0]["train_loss"]


def test_the_same_seed_gives_the_same_weights_and_another_others(tmp_path, digits):
    weights = [
        train(tmp_path / name, digits, seed=seed, model={"dropout": 0.3})[1].get_weights()
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    ]
    assert all(np.array_equal(a, b) for a, b in zip(weights[0], weights[1], strict=True))
    assert not np.array_equal(weights[0][0], weights[2][0])


def test_a_hundred_steps_give_the_same_bits_twice(tmp_path, digits):
    weights = [
        train(tmp_path / name, digits, steps=100, model={"units": [24, 16]})[1].get_weights()
        for name in ("a", "b")
    ]
    assert all(np.array_equal(a, b) for a, b in zip(*weights, strict=True))


@pytest.mark.parametrize(
    ("changes", "selection"),
    [({"shares": 1}, 1), ({"shares": 3}, 1), ({"jit_compile": False}, 1), ({"shares": 1}, 3)],
)
def test_how_a_step_is_run_does_not_change_it_beyond_rounding(tmp_path, digits, changes, selection):
    """Plain SGD: Adam divides by gradients near zero, and so by their rounding errors."""
    arguments = {
        "optimizer": {"name": "sgd", "learning_rate": 0.1},
        "steps": 10,
        "batch_selection": selection,
    }
    usual = train(tmp_path / "usual", digits, shares=2, **arguments)[1].get_weights()
    other = train(tmp_path / "other", digits, **arguments, **changes)[1].get_weights()
    for a, b in zip(usual, other, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "stop",
    [
        pytest.param(15, marks=pytest.mark.slow),  # at a checkpoint
        20,  # at a validation
        33,  # between
        pytest.param(45, marks=pytest.mark.slow),  # at a checkpoint, later
        60,  # at the end
    ],
)
def test_a_resumed_run_ends_with_the_same_bits(tmp_path, digits, stop, monkeypatch):
    import seqclf.training.loop as training

    changes = {
        "model": {"dropout": 0.3},
        "optimizer": {"name": "adamw", "weight_decay": 0.01},
        "augment": {"shift": 0.1, "elastic": 0.02},
        "batch_selection": 2,
    }
    whole, model, _ = train(tmp_path / "whole", digits, **changes)

    class StopError(Exception):
        pass

    make = training.TrainStep

    def stopping(*arguments):
        step, calls = make(*arguments), 0

        def counted(*batch):
            nonlocal calls
            calls += 1
            if calls > stop:
                raise StopError
            return step(*batch)

        counted.carried = step.carried
        return counted

    monkeypatch.setattr(training, "TrainStep", stopping)
    if stop < 60:
        with pytest.raises(StopError):
            train(tmp_path / "cut", digits, **changes)
    monkeypatch.setattr(training, "TrainStep", make)
    cut, resumed, _ = train(tmp_path / "cut", digits, **changes)
    for a, b in zip(model.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    timeless = [
        [{k: v for k, v in r.items() if k not in ("train_seconds", "wait_share")} for r in records]
        for records in (read_metrics(whole), read_metrics(cut))
    ]
    assert timeless[0] == timeless[1]


def test_the_best_or_the_last_weights_are_selected(tmp_path, digits):
    changes = {
        "optimizer": {"name": "sgd", "schedule": "constant", "learning_rate": 3.0},
        "steps": 80,
    }
    best_run, best, state = train(tmp_path / "best", digits, **changes)
    _, last, _ = train(tmp_path / "last", digits, select="last", **changes)
    assert state.best_step < 80, "this test needs a run that gets worse"
    accuracy = Scorer(best, digits.spec)(digits.validation).accuracy
    assert accuracy == state.best_accuracy
    assert Scorer(last, digits.spec)(digits.validation).accuracy < accuracy
    assert read_metrics(best_run)[-1]["validation_accuracy"] < accuracy


def test_early_stopping(tmp_path, digits):
    _, _, state = train(
        tmp_path / "a",
        digits,
        steps=2000,
        early_stopping=2,
        optimizer={"learning_rate": 1e-9, "schedule": "constant"},
    )
    assert state.stopped_early and state.step == 60  # best at 20, then two without a new best


def test_a_loss_that_is_no_number_ends_the_run(tmp_path, digits):
    changes = {"optimizer": {"name": "sgd", "learning_rate": 1e38, "clip_norm": 0.0}}
    with pytest.raises(
        TrainingError, match=r"The loss is (nan|inf) at step \d+: training has diverged"
    ):
        train(tmp_path / "a", digits, **changes)
    assert not (tmp_path / "a" / "model.keras").exists()


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_trains(tmp_path, digits, precision):
    _, _, state = train(
        tmp_path / "a", digits, precision=precision, optimizer={"learning_rate": 0.02}
    )
    assert state.best_accuracy > 0.3


def test_it_trains_without_xla(tmp_path, digits):
    changes = {"jit_compile": False, "optimizer": {"learning_rate": 0.02}}
    _, _, state = train(tmp_path / "a", digits, **changes)
    assert state.best_accuracy > 0.3


def test_epochs_give_the_length(tmp_path, digits):
    _, _, state = train(tmp_path / "a", digits, steps=0, epochs=1.5)
    assert state.step == 30  # 1.5 · (1293 // 64)


def test_damaged_checkpoint_the_one_before_is_taken(tmp_path, digits, capsys):
    whole, model, _ = train(tmp_path / "a", digits)
    newest = sorted(whole.checkpoints.glob("step-*"))[-1]
    newest.write_bytes(newest.read_bytes()[:-40])
    _, again, _ = train(tmp_path / "a", digits)
    assert "is damaged" in capsys.readouterr().out
    for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    for path in whole.checkpoints.glob("step-*"):
        path.write_bytes(b"junk")
    with pytest.raises(RunError, match="No checkpoint in .* can be read"):
        train(tmp_path / "a", digits)


def test_a_checkpoint_of_another_model_is_refused(tmp_path, digits):
    run, *_ = train(tmp_path / "a", digits)
    with pytest.raises(RunError, match="can be read"):
        restore_latest(run, {"model": [keras.Variable(np.zeros(3))], "optimizer": []})

"""fit and run_experiment, in this process, on the bundled digits."""

import json

import keras
import numpy as np
import pytest

from seqclf import load_dataset
from seqclf.config import resolve
from seqclf.errors import ConfigError, RunError, TrainingError
from seqclf.experiment.run import run_experiment
from seqclf.experiment.run_evaluation import evaluate_run
from seqclf.storage.run_directory import Run
from seqclf.training.checkpoints import restore_latest
from seqclf.training.evaluation import Scorer
from seqclf.training.loop import fit
from seqclf.training.metrics_log import read_metrics
from seqclf.training.step import TrainStep

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


def test_one_step_is_keras_own(digits):
    """One step of ours equals `train_on_batch` of the same model built of Keras's layers."""
    chosen = config(optimizer={"name": "sgd", "schedule": "constant"}, label_smoothing=0.1)
    from seqclf.models.classifier import build_classifier
    from seqclf.training.optimizers import build_optimizer

    model = build_classifier(chosen, digits.spec)
    layers = [keras.Input((8, 8)), keras.layers.GRU(24, use_cudnn=False), keras.layers.Dense(10)]
    peer = keras.Sequential(layers)
    peer.set_weights(model.get_weights())
    peer.compile(
        keras.optimizers.SGD(0.005, momentum=0.9, global_clipnorm=1.0),
        keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
    )
    x = (digits.train.x[:32] / 16).astype("float32")
    y = digits.train.y[:32]
    step = TrainStep(model, build_optimizer(chosen, 10), chosen)
    for _ in range(3):
        loss, *_ = step(keras.ops.convert_to_tensor(x), keras.ops.convert_to_tensor(y))
        peer.reset_metrics()  # Keras 3.12 returns the mean over the calls
        expected = peer.train_on_batch(x, np.eye(10, dtype="float32")[y])
        assert float(loss) == pytest.approx(float(expected), rel=1e-5)
    for ours, theirs in zip(model.get_weights(), peer.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


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


@pytest.mark.parametrize("selection", [1, 3])
def test_a_step_learns_from_the_examples_of_largest_loss(digits, selection):
    """Its gradient is that of a step on these alone, its figures are those of all."""
    from seqclf.models.classifier import build_classifier
    from seqclf.training.optimizers import build_optimizer

    def stepped(x, y, **changes):
        chosen = config(optimizer={"name": "sgd", "schedule": "constant"}, **changes)
        keras.utils.set_random_seed(0)
        model = build_classifier(chosen, digits.spec)
        logits = model(x).numpy()
        results = TrainStep(model, build_optimizer(chosen, 10), chosen)(x, y)
        return logits, [float(result) for result in results], model.get_weights()

    x = keras.ops.convert_to_tensor((digits.train.x[:48] / 16).astype("float32"))
    y = keras.ops.convert_to_tensor(digits.train.y[:48])
    logits, (loss, right, *_), weights = stepped(x, y, batch_selection=selection)
    losses = keras.ops.convert_to_numpy(
        keras.losses.sparse_categorical_crossentropy(y, logits, from_logits=True)
    )
    hardest = np.argsort(-losses)[: 48 // selection]
    _, _, expected = stepped(keras.ops.take(x, hardest, 0), keras.ops.take(y, hardest, 0))
    for ours, theirs in zip(weights, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert loss == pytest.approx(losses.mean(), rel=1e-5)
    assert right == (logits.argmax(-1) == digits.train.y[:48]).sum()


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


def test_augmentation_of_what_is_no_image_is_refused(tmp_path):
    rng = np.random.default_rng(0)
    file = tmp_path / "own.npz"
    np.savez(file, x=rng.normal(size=(60, 5, 2)).astype("float32"), y=np.arange(60) % 2)
    chosen = config(data={"source": f"npz:{file}"}, batch_size=8, augment={"rotation": 5})
    with pytest.raises(ConfigError, match=r"`augment.rotation` distorts images.*float32"):
        run_experiment(chosen, tmp_path / "run")
    assert not (tmp_path / "run").exists()


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


def test_an_experiment_leaves_everything_in_its_place(tmp_path, capsys):
    report = run_experiment(config(), tmp_path / "run")
    run = Run(tmp_path / "run")
    for path in (run.config, run.manifest, run.dataset, run.metrics, run.model, run.report_md):
        assert path.is_file(), path
    assert {path.name for path in run.figures.iterdir()} == {
        "learning_curves.png",
        "confusion_matrix.png",
        "mistakes.png",
    }
    assert list(run.tensorboard.glob("events*"))
    assert len(list(run.checkpoints.glob("step-*.npz"))) == 2
    assert not list(run.path.glob("**/.tmp-*"))
    manifest = run.read_manifest()
    assert manifest["status"] == "finished"
    assert manifest["seed"] == 0
    assert manifest["versions"]["keras"] == keras.__version__
    assert len(manifest["data"]["fingerprint"]) == 64
    assert json.loads(run.report.read_text()) == report
    test = report["test"]
    assert np.trace(test["confusion"]) / 360 == test["accuracy"]
    assert sum(c["support"] for c in test["classes"]) == 360 == np.sum(test["confusion"])
    low, high = test["accuracy_interval"]
    assert low < test["accuracy"] < high
    evaluated = evaluate_run(run, "test")
    assert evaluated["accuracy"] == test["accuracy"]
    assert evaluated["confusion"] == test["confusion"]
    capsys.readouterr()
    before = {path: path.stat().st_mtime_ns for path in run.path.rglob("*")}
    assert run_experiment(config(), run.path) == report  # finished: nothing is done again
    assert before == {path: path.stat().st_mtime_ns for path in run.path.rglob("*")}


def test_sequences_of_varying_length_go_the_whole_way(tmp_path):
    rng = np.random.default_rng(0)
    y = np.arange(400) % 2
    lengths = rng.integers(3, 13, 400)
    x = rng.normal(size=(400, 12, 2))
    x[:, 0, 0] = 3.0 * (2 * y - 1)  # the class is told at the first step, and to be remembered
    np.savez(tmp_path / "a.npz", x=x, y=y, lengths=lengths, class_names=np.array(["no", "yes"]))
    chosen = config(data={"source": f"npz:{tmp_path}/a.npz"}, steps=200, batch_size=32)
    report = run_experiment(chosen, tmp_path / "run")
    assert report["test"]["accuracy"] > 0.95


def test_another_config_is_refused_and_nothing_changed(tmp_path, digits):
    run = prepared(tmp_path / "run", config())
    before = run.config.read_bytes()
    with pytest.raises(RunError) as caught:
        run.prepare(config(seed=3, model={"units": [8]}))
    assert "model.units: [24] -> [8]\n  seed: 0 -> 3" in str(caught.value)
    assert run.config.read_bytes() == before


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(RunError, match="is no run directory"):
        run_experiment(config(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot be used as --workdir"):
        run_experiment(config(), tmp_path / "file" / "run")


def test_changed_data_is_refused(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {"x": rng.normal(size=(100, 4, 2)), "y": np.arange(100) % 2}
    np.savez(tmp_path / "a.npz", **arrays)
    chosen = config(data={"source": f"npz:{tmp_path}/a.npz"}, batch_size=16, steps=5)
    run_experiment(chosen, tmp_path / "run")
    (tmp_path / "run" / "report.json").unlink()
    arrays["x"][0] += 1
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(RunError, match="is not what the run in .* was trained on"):
        run_experiment(chosen, tmp_path / "run")
    with pytest.raises(RunError, match="is not what the run in"):
        evaluate_run(Run(tmp_path / "run"), "test")

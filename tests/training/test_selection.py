"""Which weights become the model: by what validations are compared, ties, few examples."""

import itertools

import numpy as np
import pytest
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    f1_score,
    roc_auc_score,
)

import seqclf
from seqclf.api.defaults import suited_config
from seqclf.config import Config, ModelConfig, as_begun
from seqclf.console.progress import Progress
from seqclf.errors import ConfigError
from seqclf.experiment.announcement import training_in_words
from seqclf.storage.run_directory import Run
from seqclf.training.criteria import value_of
from seqclf.training.distribution.workers import Workers
from seqclf.training.effective import check_fits_data, effective_config, total_steps
from seqclf.training.evaluation import Score
from seqclf.training.loop import fit
from seqclf.training.metrics_log import read_metrics
from seqclf.training.selection import WeightSelection
from seqclf.training.state import State


def series(count, validation=0.5, classes=2, labels=None, splits=None):
    """A dataset of `count` short sequences."""
    rng = np.random.default_rng(0)
    labels = np.arange(count) % classes if labels is None else labels
    return seqclf.Dataset.from_arrays(
        rng.normal(size=(count, 3, 1)), labels, validation=validation, test=0.2, splits=splits
    )


class Saved:
    """Stands for `Recovery`: notes the steps whose weights are kept."""

    def __init__(self):
        self.steps = []

    def save_best(self, step):
        self.steps.append(step)


def selected(scores, state=None, **changes):
    """Validates with these (accuracy, loss); returns the kept steps and the state at the end."""
    upcoming = iter(scores)
    recovery = Saved()

    def scorer(split):
        accuracy, loss = next(upcoming)
        return Score(np.zeros([1, 2]), np.zeros(1, int), loss, accuracy)

    selection = WeightSelection(Config(**changes), series(40), scorer, recovery)
    state = state or State()
    for _ in scores:
        state.step, state.interval_examples = state.step + 1, 1
        selection.validate(state)
        if state.stopped_early:
            break
    return recovery.steps, state


@pytest.mark.parametrize("select", ["best", "last"])
def test_only_weights_that_may_become_the_model_are_marked(tmp_path, capsys, select):
    config = Config(
        model=ModelConfig(units=(2,)),
        **{"batch_size": 4, "steps": 2, "validate_every": 1, "jit_compile": False},
        select=select,
    )
    run = Run(tmp_path / "run")
    run.prepare(config)
    fit(config, series(40), run, make_progress=Progress)
    assert ("*best" in capsys.readouterr().out) == (select == "best")


def test_of_equal_accuracies_the_lower_loss_is_better():
    steps, state = selected([(0.9, 0.5), (0.9, 0.6), (0.9, 0.4), (0.8, 0.1), (0.9, 0.4)])
    assert steps == [1, 3]
    assert (state.best_step, state.best_accuracy, state.best_loss) == (3, 0.9, 0.4)


def test_by_loss_the_accuracy_is_not_looked_at():
    steps, state = selected([(0.9, 0.5), (1.0, 0.6), (0.3, 0.4)], select="loss")
    assert steps == [1, 3]
    assert (state.best_accuracy, state.best_value) == (0.3, -0.4)


def test_a_lower_loss_at_the_same_accuracy_does_not_delay_early_stopping():
    falling = [(1.0, 1 / step) for step in range(1, 9)]
    steps, state = selected(falling, early_stopping=3)
    assert state.stopped_early and state.step == 4 and steps == [1, 2, 3, 4]
    _, by_loss = selected(falling, early_stopping=3, select="loss")
    assert not by_loss.stopped_early


def test_after_a_checkpoint_without_a_loss_only_a_higher_accuracy_is_better():
    """Checkpoints of version 0.1 are such."""
    before = State(step=4, best_accuracy=0.9, best_step=4)
    steps, state = selected([(0.9, 0.01), (0.95, 0.5), (0.95, 0.4)], state=before)
    assert steps == [6, 7] and state.best_step == 7


@pytest.mark.parametrize("classes", [2, 3])
def test_the_quantities_are_those_of_scikit_learn(classes):
    rng = np.random.default_rng(1)
    labels = np.arange(60) % classes
    probabilities = rng.dirichlet(np.ones(classes), 60)
    score = Score(probabilities, labels, 0.7, 0.5)
    predicted, one_hot = probabilities.argmax(-1), np.eye(classes)[labels]
    expected = {
        "accuracy": 0.5,
        "loss": 0.7,
        "macro_f1": f1_score(labels, predicted, average="macro"),
        "balanced_accuracy": balanced_accuracy_score(labels, predicted),
        "roc_auc": roc_auc_score(one_hot, probabilities, average="macro"),
        "average_precision": average_precision_score(one_hot, probabilities, average="macro"),
    }
    for name, value in expected.items():
        assert value_of(name, score) == pytest.approx(value), name


@pytest.mark.parametrize(("validation", "expected"), [(49, "last"), (50, "best")])
def test_below_50_validation_examples_the_last_weights_are_taken_which_is_said(
    validation, expected
):
    splits = ["validation"] * validation + ["train"] * 20 + ["test"] * 20
    data = series(len(splits), splits=splits)
    chosen = effective_config(Config(), data)
    assert chosen.select == expected
    assert effective_config(Config(select="best"), data).select == "best"
    said = training_in_words(Config(batch_size=8), data, 10, Workers())
    assert ("the last weights become the model: 49 validation examples" in said) == (
        expected == "last"
    )


def test_a_training_takes_the_weights_of_the_quantity_that_is_named(tmp_path):
    data = series(200, classes=3)
    config = Config(
        model=ModelConfig(units=(4,)),
        batch_size=16,
        steps=12,
        validate_every=3,
        jit_compile=False,
        select="macro_f1",
    )
    run = Run(tmp_path / "run")
    run.prepare(config)
    _, state, score = fit(config, data, run, also_log=("roc_auc",))
    records = read_metrics(run)
    best = max(records, key=lambda r: (r["validation_macro_f1"], -r["validation_loss"]))
    assert state.best_step == best["step"]
    assert all(0 <= record["validation_roc_auc"] <= 1 for record in records)
    if score is not None:
        assert value_of("macro_f1", score) == best["validation_macro_f1"]


@pytest.mark.parametrize("name", ["macro_f1", "balanced_accuracy", "roc_auc", "average_precision"])
def test_a_class_without_validation_examples_is_refused_where_classes_are_averaged(name):
    labels = ["ok", "fault", "odd"] * 20
    splits = list(itertools.chain(["train", "train", "train"] * 10, ["test"] * 15))
    splits += ["train" if label == "odd" else "validation" for label in labels[45:]]
    data = series(60, labels=labels, splits=splits)
    with pytest.raises(ConfigError, match=f"`select` '{name}' is a mean over the classes.*'odd'"):
        check_fits_data(Config(select=name, batch_size=4), data)
    check_fits_data(Config(select="loss", batch_size=4), data)


def test_a_batch_is_at_most_the_training_split_which_is_said_once():
    data = series(50)  # 20 of them are to train on
    assert len(data.train) == 20
    said = training_in_words(Config(batch_size=128), data, 10, Workers())
    assert said.count("batches of") == 1
    assert "batches of 20, not 128: there are 20 examples to train on" in said
    assert "10 steps of 20 (10.0 epochs)" in said
    assert effective_config(Config(batch_size=128, batch_selection=3), data).batch_size == 6
    assert effective_config(Config(batch_size=128), data, replicas=3).batch_size == 18
    assert effective_config(Config(batch_size=20), data).batch_size == 20
    assert total_steps(Config(batch_size=128, steps=0, epochs=7), data) == 7
    with pytest.raises(ConfigError, match=r"more examples than the 20 .* `batch_selection` 21"):
        check_fits_data(Config(batch_selection=21), data)


def test_a_training_with_too_large_a_batch_is_that_of_the_whole_split(tmp_path):
    data = series(50)
    weights = []
    for name, size in (("too_large", 128), ("whole", 20)):
        run = Run(tmp_path / name)
        config = Config(model=ModelConfig(units=(4,)), batch_size=size, steps=3, jit_compile=False)
        run.prepare(config)
        assert run.read_config().batch_size == size
        weights.append(fit(config, data, run).model.get_weights())
    for ours, theirs in zip(*weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_the_end_of_a_training_without_a_config_follows_from_its_length_and_data():
    many = series(200)
    assert len(many.validation) == 80
    config = suited_config(many)
    assert config.early_stopping == -1
    assert effective_config(config, many).early_stopping == 8  # of 20 validations
    said = training_in_words(config, many, config.steps, Workers())
    assert "it stops after 8 validations without a better one" in said
    for changes, expected in (
        ({"steps": 1000, "validate_every": 100}, 4),
        ({"steps": 1000, "validate_every": 999}, 2),
        ({"steps": 0, "epochs": 10.0, "validate_every": 0}, 4),
        ({"early_stopping": 7}, 7),
        ({"early_stopping": 0}, 0),
    ):
        assert effective_config(config.changed(changes), many).early_stopping == expected
    assert effective_config(config, series(40)).early_stopping == 0
    check_fits_data(config, series(200, validation=0))


def test_what_an_earlier_version_began_without_early_stopping_goes_on_without():
    begun = Config(select="best", early_stopping=0)
    assert as_begun(Config(early_stopping=-1), begun) == begun
    assert as_begun(Config(early_stopping=3), begun).early_stopping == 3

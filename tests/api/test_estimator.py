"""`seqclf.SequenceClassifier` in scikit-learn's own tools, its inputs, mistakes and files."""

import contextlib
import os
import pickle
import random
import tempfile

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

import seqclf
from seqclf import SequenceClassifier
from seqclf.errors import ConfigError, DataError, RunError
from seqclf.serving import export as serving_export
from seqclf.serving.client import InputWarning
from seqclf.training import loop

TINY = {"model.units": [4], "steps": 30, "jit_compile": False, "optimizer.learning_rate": 0.03}


def series(count=24, seed=0, classes=("busy", "calm")):
    """Sequences of unequal length whose class is told by their mean."""
    rng = np.random.default_rng(seed)
    y = np.array(classes)[np.arange(count) % len(classes)]
    X = [rng.normal(size=(rng.integers(3, 8), 2)) for _ in y]
    return [x + 4 * (label == classes[0]) for x, label in zip(X, y, strict=True)], y


X, Y = series()
EQUAL = np.stack([x[:3] for x in X])  # [24, 3, 2]


@pytest.fixture(scope="module")
def fitted():
    return SequenceClassifier(TINY).fit(X, Y)


@pytest.fixture(scope="module")
def on_array():
    return SequenceClassifier(TINY).fit(EQUAL, Y)


@pytest.fixture
def datasets(monkeypatch):
    """The dataset and the config of each training; they are trained for no step."""
    seen = []

    def fit(config, dataset, run, **kwargs):
        seen.append((config, dataset))
        return loop.FitResult(loop.build(config, dataset.spec), loop.State(), None)

    monkeypatch.setattr("seqclf.training.loop.fit", fit)
    return seen


def test_it_trains_on_all_and_predicts_the_labels_that_it_was_given(fitted):
    assert fitted.score(X, Y) == accuracy_score(Y, fitted.predict(X)) > 0.9
    assert fitted.classes_.tolist() == ["busy", "calm"]
    assert (fitted.n_features_in_, fitted.config_.steps) == (2, 30)
    probabilities = fitted.predict_proba(X)
    assert probabilities.shape == (24, 2)
    np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-5)
    np.testing.assert_array_equal(fitted.classes_[probabilities.argmax(1)], fitted.predict(X))
    direct = seqclf.predict(fitted.model_, X, spec=fitted.spec_)
    np.testing.assert_array_equal(direct.probabilities, probabilities)
    assert [record["step"] for record in fitted.history_][-1] == 30


def test_no_example_is_held_out_and_weights_go_into_the_loss(datasets):
    weights = np.arange(24.0)
    SequenceClassifier(TINY).fit(X, Y, sample_weight=weights)
    _, data = datasets[0]
    assert [len(split) for _, split in data.splits()] == [24, 0, 0]
    np.testing.assert_array_equal(data.train.weights, weights)
    for row, x, length in zip(data.train.x, X, data.train.lengths, strict=True):
        np.testing.assert_array_equal(row[:length], x.astype(np.float32))
    np.testing.assert_array_equal(np.array(data.spec.class_names)[data.train.y], Y)


def test_validation_holds_out_by_class_or_by_group(datasets):
    SequenceClassifier(TINY, validation=0.25).fit(X, Y)
    SequenceClassifier(TINY, validation=0.25).fit(X, Y, groups=np.arange(24) // 6)
    by_class, by_group = (data for _, data in datasets)
    assert [len(split) for _, split in by_class.splits()] == [18, 6, 0]
    assert "by group" in by_group.division
    held_out = {x.tobytes() for x in by_group.validation.x}
    groups = [i // 6 for i, x in enumerate(by_class_padded(X)) if x.tobytes() in held_out]
    assert len(groups) == 6 and len(set(groups)) == 1


def by_class_padded(sequences):
    longest = max(map(len, sequences))
    return [np.pad(x.astype(np.float32), ((0, longest - len(x)), (0, 0))) for x in sequences]


def test_parameters_become_the_config(datasets):
    whole = seqclf.Config(
        steps=7, class_weight="balanced", data=seqclf.config.DataConfig(missing="mean")
    )
    SequenceClassifier(whole, random_state=5).fit(X, Y)
    SequenceClassifier(TINY, class_weight={"busy": 3}).fit(X, Y)
    SequenceClassifier(TINY, class_weight={1: 3, 0: 2}).fit(X, [0.0, 1.0] * 12)
    SequenceClassifier({"epochs": 2}, random_state=np.random.RandomState(3)).fit(X, Y)
    configs = [config for config, _ in datasets]
    assert (configs[0].steps, configs[0].class_weight, configs[0].seed) == (7, "balanced", 5)
    assert (configs[0].data.missing, configs[0].data.test) == ("mean", 0)
    assert configs[1].class_weight == "busy:3"
    assert configs[2].class_weight == "1.0:3,0.0:2"
    assert (configs[3].steps, configs[3].epochs) == (0, 2)
    assert configs[3].seed == np.random.RandomState(3).randint(2**31 - 1)
    assert configs[3].early_stopping == 0  # a length that is given is run to its end


@pytest.mark.parametrize(
    ("given", "shape"),
    [
        (EQUAL, (3, 2)),
        (EQUAL[..., 0], (3, 1)),
        (pd.DataFrame(EQUAL[..., 0]), (3, 1)),
        ([x[:, 0] for x in X], (7, 1)),
        (np.array([*X, None], object)[:-1], (7, 2)),
        (np.ma.masked_array(EQUAL), (3, 2)),
    ],
)
def test_forms_of_sequences(datasets, given, shape):
    SequenceClassifier(TINY).fit(given, Y)
    spec, lists = datasets[0][1].spec, shape[0] == 7
    assert (spec.raw_shape, spec.variable_length) == (shape, lists)


def test_time_may_be_the_last_axis(datasets):
    turned = SequenceClassifier(TINY, time_last=True)
    turned.fit(EQUAL.transpose(0, 2, 1), Y)
    turned.fit([x.T for x in X], Y)
    turned.fit(EQUAL[..., 0], Y)
    arrays = [data.train.x for _, data in datasets]
    np.testing.assert_array_equal(arrays[0], EQUAL.astype(np.float32))
    np.testing.assert_array_equal(arrays[1], by_class_padded(X))
    np.testing.assert_array_equal(arrays[2], EQUAL[..., :1].astype(np.float32))


def test_axes_that_look_exchanged_are_a_warning(datasets):
    waves = np.cumsum(np.random.default_rng(0).normal(size=(24, 2, 60)), 2)
    with pytest.warns(UserWarning, match="or set `time_last` to True"):
        SequenceClassifier(TINY).fit(waves, Y)


def test_a_list_is_of_any_lengths_and_an_array_of_one(fitted, on_array):
    longer = [np.full((30, 2), 4.0), np.zeros((1, 2))]
    with pytest.warns(InputWarning, match="1 of 2 sequences are more than twice as long") as caught:
        assert fitted.predict(longer).tolist() == ["busy", "calm"]
    assert caught[0].filename == __file__
    with pytest.warns(InputWarning, match="go from .* to .*, but the training inputs went"):
        fitted.predict_proba([1000 * x for x in X])
    longer[0] = longer[0][:9]
    equal = SequenceClassifier(TINY).fit(list(EQUAL), Y)  # by chance all are of one length
    assert equal.predict([longer[0][:6], longer[1]]).shape == (2,)
    np.testing.assert_array_equal(on_array.predict(list(EQUAL)), on_array.predict(EQUAL))
    with pytest.raises(DataError, match="of 3 time steps: fit it on a list.*of 4 time steps"):
        on_array.predict(np.zeros((2, 4, 2)))
    with pytest.raises(DataError, match="of 3 time steps.* a sequence of 2 time steps"):
        on_array.predict([np.zeros((3, 2)), np.zeros((2, 2))])


def test_missing_values_as_the_config_says():
    gaps = [np.where(np.arange(len(x))[:, None] == 1, np.nan, x) for x in X]
    with pytest.raises(DataError, match=r"24.* values are missing \(NaN\)|48 values"):
        SequenceClassifier(TINY).fit(gaps, Y)
    filling = SequenceClassifier(TINY | {"data": {"missing": "interpolate"}})
    assert filling.__sklearn_tags__().input_tags.allow_nan
    assert not SequenceClassifier(TINY).__sklearn_tags__().input_tags.allow_nan
    assert filling.fit(gaps, Y).score(gaps, Y) > 0.9


def test_cross_validation_on_unequal_lengths_leaves_no_file(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(os, "mkdir", None)  # a folder, even a temporary one, would be an error
    folds = KFold(2, shuffle=True, random_state=0)
    scores = cross_val_score(SequenceClassifier(TINY), X, Y, cv=folds)
    assert scores.mean() > 0.9
    assert not list(tmp_path.iterdir())
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "")


def test_a_search_reaches_each_key_through_a_pipeline():
    halved = FunctionTransformer(lambda X: [x / 2 for x in X])
    classifier = SequenceClassifier(TINY)
    pipeline = Pipeline([("halve", halved), ("classify", classifier)])
    grid = {"classify__config__model.units": [[2], [3]], "classify__class_weight": ["balanced"]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(X, Y)
    best = search.best_estimator_["classify"]
    assert list(best.config_.model.units) == search.best_params_["classify__config__model.units"]
    assert best.config_.class_weight == "balanced"
    assert best.config_.steps == 30  # the other keys stay
    assert classifier.config == TINY == {**TINY}
    assert search.score(X, Y) == best.score(halved.transform(X), Y)


def test_keys_are_parameters():
    classifier = SequenceClassifier({"model": {"units": [4]}})
    assert classifier.get_params()["config__model.units"] == [4]
    assert "config__model.units" not in classifier.get_params(deep=False)
    changed = clone(classifier).set_params(**{"config__steps": 9, "random_state": 2})
    assert changed.config == {"model.units": [4], "steps": 9} and changed.random_state == 2
    assert classifier.config == {"model": {"units": [4]}}
    assert SequenceClassifier().set_params(config__steps=9).config == {"steps": 9}
    whole = SequenceClassifier(seqclf.Config()).set_params(**{"config__model.units": [3]})
    assert whole.config.model.units == (3,)
    with pytest.raises(ValueError, match="Unknown config key `unit`. Did you mean `model.units`"):
        classifier.set_params(config__unit=3)
    with pytest.raises(ValueError, match="Invalid parameter 'units'"):
        classifier.set_params(units=3)


def test_random_numbers_of_the_caller_go_on_and_the_seed_decides(fitted):
    random.seed(1)
    np.random.seed(1)
    expected = random.Random(1).random(), np.random.RandomState(1).rand()
    again = SequenceClassifier(TINY).fit(X, Y)
    assert (random.random(), np.random.rand()) == expected
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))
    other = SequenceClassifier(TINY, random_state=1).fit(X, Y)
    assert not np.array_equal(other.predict_proba(X), fitted.predict_proba(X))


def test_verbose_says_what_is_trained(capsys):
    SequenceClassifier(TINY | {"steps": 2}, validation=0.25, verbose=True).fit(X, Y)
    said = capsys.readouterr().out
    assert "train 18, validation 6, test 0" in said
    assert "step 2/2" in said


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"X": X[:1], "y": Y[:1]}, "Received: 1 class, 'busy', of 1 sequence"),
        ({"y": ["a"] * 24}, "At least two classes are needed.*1 class, 'a', of 24 sequences"),
        ({"y": Y[:3]}, "`y` must have 24 labels.*Received: 3"),
        ({"y": np.linspace(0, 1, 24)}, "`y` must be the class.*continuous"),
        ({"y": [None] * 24}, "`y` must be the class of each sequence"),
        ({"y": None}, "requires y to be passed"),
        ({"X": [], "y": []}, "there are no sequences"),
        ({"X": "abc"}, "`X` must be a list of arrays.*Received: str"),
        ({"X": X[0][:, 0]}, r"Received: an array \[\d\]. Reshape your data: one sequence is"),
        ({"X": [1.0, 2.0]}, "Received: 2 values. Reshape your data"),
        ({"X": np.zeros((24, 3, 0))}, r"none of them 0. Received: \[24, 3, 0\]"),
        ({"X": [x[:, : 1 + i % 2] for i, x in enumerate(X)]}, "as many features as the first"),
        ({"sample_weight": -np.ones(24)}, "numbers of 0 or more. Received: -1.0 at sequence 0"),
        ({"sample_weight": np.ones(3)}, r"must be 24 numbers.*Received: float64 \[3\]"),
        ({"sample_weight": np.zeros(24)}, "above zero somewhere. Received: only zeros"),
        ({"groups": Y}, "set `validation` above 0, or leave out `groups`"),
    ],
)
def test_what_cannot_be_fitted_is_one_message(changes, message):
    classifier = SequenceClassifier(TINY)
    with pytest.raises(DataError, match=message):
        classifier.fit(**{"X": X, "y": Y, **changes})
    with pytest.raises(NotFittedError):
        classifier.predict(X)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"config": {"seed": 1}}, "`seed` is the parameter `random_state`"),
        ({"config": {"data.test": 0.1}}, "may have missing, normalize, split_seed.*`data.test`"),
        ({"config": {"distribute": "mirrored"}}, "leave `distribute` at 'auto'"),
        ({"config": {"select": "best"}}, "Received: select='best', data.validation=0"),
        ({"config": 3}, "`config` must be a Config.*Received: 3"),
        ({"config": TINY, "class_weight": {"x": 2}}, "class that does not exist.*'x'"),
        ({"config": TINY, "validation": 0.9}, "`data.validation` must be at most 0.5"),
    ],
)
def test_parameters_that_cannot_be_used_are_one_message(parameters, message):
    with pytest.raises(ConfigError, match=message):
        SequenceClassifier(**parameters).fit(X, Y)


def test_another_number_of_features_is_refused(fitted, on_array):
    for given in ([x[:, :1] for x in X], EQUAL[..., 0]):
        with pytest.raises(DataError, match="X has 1 features, but .* is expecting 2 features"):
            fitted.predict(given)
    with pytest.raises(DataError, match="minimum of 1 is required"):
        on_array.predict(EQUAL[:0])


@pytest.mark.parametrize("by", ["pickle", "joblib", "clone"])
def test_copies_predict_the_same(fitted, tmp_path, by):
    if by == "pickle":
        copied = pickle.loads(pickle.dumps(fitted))
    elif by == "joblib":
        joblib.dump(fitted, tmp_path / "estimator.joblib")
        copied = joblib.load(tmp_path / "estimator.joblib")
    else:
        copied = clone(fitted)
        with pytest.raises(NotFittedError):
            copied.predict(X)
        return
    np.testing.assert_array_equal(copied.predict_proba(X), fitted.predict_proba(X))
    assert copied.get_params() == fitted.get_params()
    assert copied.spec_ == fitted.spec_ and copied.config_ == fitted.config_


@pytest.mark.parametrize("labels", [["busy", "calm"], [3, 11], [True, False], [0.0, 1.0]])
def test_save_and_load_keep_labels_and_parameters(datasets, tmp_path, labels):
    weights = {label: i + 1 for i, label in enumerate(np.array(labels))}
    saved = SequenceClassifier(TINY, class_weight=weights, time_last=True)
    saved.fit([x.T for x in X], np.array(labels)[np.arange(24) % 2]).save(tmp_path / "saved")
    loaded = SequenceClassifier.load(tmp_path / "saved")
    assert loaded.get_params() == saved.get_params()
    assert loaded.classes_.dtype == saved.classes_.dtype
    np.testing.assert_array_equal(loaded.classes_, saved.classes_)
    assert loaded.config_ == saved.config_
    turned = [x.T for x in X]
    np.testing.assert_array_equal(loaded.predict_proba(turned), saved.predict_proba(turned))


@pytest.mark.parametrize("config", [None, seqclf.Config(steps=3), "digits", {"model": {}}])
def test_save_and_load_keep_every_form_of_config(datasets, tmp_path, config):
    SequenceClassifier(config, random_state=np.random.RandomState(1)).fit(X, Y).save(tmp_path / "s")
    loaded = SequenceClassifier.load(tmp_path / "s")
    assert loaded.config == (config if config != {"model": {}} else {})
    assert loaded.random_state == loaded.config_.seed


def test_a_saved_estimator_is_a_run_and_replaces_one_before(fitted, on_array, tmp_path):
    folder = tmp_path / "saved"
    on_array.save(folder)
    fitted.save(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["saved"]
    expected = fitted.predict_proba(X)
    np.testing.assert_array_equal(seqclf.predict(folder, X).probabilities, expected)
    (folder / "estimator.json").write_text('{"parameters": {}}')
    with pytest.raises(RunError, match=r"estimator.json is damaged: it lacks 'classes'"):
        SequenceClassifier.load(folder)
    (folder / "estimator.json").unlink()
    with pytest.raises(RunError, match="holds no saved SequenceClassifier: it lacks"):
        SequenceClassifier.load(folder)
    with pytest.raises(RunError, match="it is left as it is. Choose another folder"):
        fitted.save(folder)
    assert (folder / "model.keras").is_file()
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match="notes.txt exists and holds no saved SequenceClassifier"):
        fitted.save(tmp_path / "notes.txt")
    assert (tmp_path / "notes.txt").read_text() == "mine"
    with pytest.raises(NotFittedError):
        SequenceClassifier().save(tmp_path / "other")


def test_an_export_predicts_the_same(fitted, tmp_path, monkeypatch):
    checked, export = [], serving_export.export_model

    def export_model(*args, **kwargs):
        checked.append(kwargs["examples"])
        return export(*args, **kwargs)

    monkeypatch.setattr("seqclf.serving.export.export_model", export_model)
    with contextlib.redirect_stderr(None):
        version = fitted.export(tmp_path / "models")
    (examples,) = checked  # of several lengths, not blank, and none of the data
    assert len(set(examples.lengths.tolist())) == len(examples.x) == 3
    for row, length in zip(examples.x, examples.lengths, strict=True):
        assert row[:length].all() and not row[length:].any()
        assert not any(np.isin(row[:length], x.astype(np.float32)).any() for x in X)
    assert version == tmp_path / "models" / "1"
    exported = seqclf.predict(version, X)
    np.testing.assert_allclose(exported.probabilities, fitted.predict_proba(X), rtol=1e-4)
    assert exported.class_names == ("busy", "calm")
    with pytest.raises(NotFittedError):
        SequenceClassifier().export(tmp_path / "other")


@pytest.mark.slow
def test_processes_side_by_side_give_the_same_scores():
    alone = cross_val_score(SequenceClassifier(TINY), X, Y, cv=2, scoring="neg_log_loss")
    both = cross_val_score(SequenceClassifier(TINY), X, Y, cv=2, scoring="neg_log_loss", n_jobs=2)
    np.testing.assert_allclose(both, alone, rtol=1e-5)

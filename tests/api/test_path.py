"""The whole path in Python: data, fit, evaluate, predict, export, a run opened again."""

import json

import keras
import numpy as np
import pytest

import seqclf
from seqclf.errors import DataError, RunError
from seqclf.serving.client import InputWarning

TINY = {"model.units": [12], "steps": 120, "validate_every": 40, "jit_compile": False}


def sequences(count=160, seed=0):
    """Sequences of unequal length whose class is told at their first step."""
    rng = np.random.default_rng(seed)
    labels = np.array(["calm", "busy"])[np.arange(count) % 2]
    xs = [rng.normal(size=(rng.integers(3, 9), 2)).astype(np.float32) for _ in labels]
    for x, label in zip(xs, labels, strict=True):
        x[0] = 4 if label == "busy" else -4
    return xs, labels


@pytest.fixture(scope="module")
def dataset():
    return seqclf.Dataset.from_arrays(*sequences(), feature_names=["speed", "load"])


@pytest.fixture(scope="module")
def run(dataset, tmp_path_factory):
    return seqclf.fit(TINY, dataset, workdir=tmp_path_factory.mktemp("api") / "run")


def by_hand(run, xs):
    """Probabilities from the Keras model, one sequence at a time, normalised in NumPy."""
    spec, rows = run.spec, []
    for x in xs:
        steps = ((x - np.array(spec.shift)) * np.array(spec.scale)).astype(np.float32)[None]
        inputs = {"sequences": steps, "lengths": np.array([len(x)], np.int32)}
        rows.append(keras.ops.softmax(run.model(inputs)).numpy()[0])
    return np.array(rows)


def test_fit_gives_a_run_with_report_model_and_export(run):
    assert run.report["test"]["accuracy"] > 0.9
    assert run.report == json.loads((run.path / "report.json").read_text())
    assert isinstance(run.model, keras.Model)
    assert run.spec.feature_names == ("speed", "load")
    assert (run.export_dir / "1" / "saved_model.pb").is_file()
    assert run.config.steps == 120
    assert run.config.data.source == "arrays"
    assert repr(run) == f"TrainedRun({str(run.path)!r})"


def test_fit_again_does_nothing_and_other_data_is_refused(run, dataset):
    before = (run.path / "model.keras").stat().st_mtime_ns
    again = seqclf.fit(TINY, dataset, workdir=run.path)
    assert again.report == run.report
    assert (run.path / "model.keras").stat().st_mtime_ns == before
    with pytest.raises(RunError, match="holds a run of another config"):
        seqclf.fit(TINY | {"seed": 1}, dataset, workdir=run.path)


@pytest.mark.parametrize("how", ["list", "padded", "split", "export", "path", "keras"])
def test_every_form_of_input_and_model_gives_the_same_predictions(run, dataset, how):
    xs, _ = sequences(8, seed=1)
    wanted, model, given, options = by_hand(run, xs), run, xs, {}
    if how == "padded":
        given = np.full((8, 8, 2), 7.0)
        for row, x in zip(given, xs, strict=True):
            row[: len(x)] = x
        options = {"lengths": [len(x) for x in xs]}
    elif how == "split":
        given, test = dataset.test, dataset.test
        wanted = by_hand(run, [x[:n] for x, n in zip(test.x, test.lengths, strict=True)])
    elif how == "export":
        model = run.export_dir
    elif how == "path":
        model = str(run.path)
    elif how == "keras":
        model, options = run.model, {"spec": run.spec}
    predicted = seqclf.predict(model, given, **options)
    np.testing.assert_allclose(predicted.probabilities, wanted, rtol=1e-4, atol=1e-6)
    assert predicted.class_names == ("busy", "calm")
    assert len(predicted) == len(wanted)
    np.testing.assert_array_equal(predicted.class_index, wanted.argmax(-1))
    assert predicted.class_name.tolist() == [("busy", "calm")[i] for i in wanted.argmax(-1)]


@pytest.mark.parametrize("how", ["run", "export"])
def test_inputs_far_from_those_of_the_training_are_warned_about(run, how):
    model, (xs, _) = (run if how == "run" else run.export_dir), sequences(4, seed=1)
    with pytest.warns(InputWarning, match="but the training inputs went from") as caught:
        seqclf.predict(model, [1000 * x for x in xs])
    assert len(caught) == 1 and caught[0].filename == __file__
    longest = run.spec.time_steps
    with pytest.warns(InputWarning, match="1 of 5 sequences are more than twice as long"):
        seqclf.predict(model, [*xs, np.zeros((2 * longest + 1, 2))])
    padded = np.zeros((4, longest, 2))
    padded[:, 0] = 4
    with pytest.warns(InputWarning, match="4 of 4 sequences end in time steps of zeros"):
        seqclf.predict(model, padded)
    seqclf.predict(model, list(padded))  # a list needs no padding: the zeros are meant


def test_the_test_split_goes_through_an_export_as_well(run, dataset):
    ours = seqclf.predict(run, dataset.test)
    theirs = seqclf.predict(run.export_dir / "1", dataset.test)
    np.testing.assert_allclose(theirs.probabilities, ours.probabilities, rtol=1e-4, atol=1e-6)


def test_evaluate_counts_what_predict_says(run, dataset):
    scored = seqclf.evaluate(run, "validation")
    predicted = seqclf.predict(run, dataset.validation)
    assert scored["accuracy"] == (predicted.class_index == dataset.validation.y).mean()
    assert scored["examples"] == len(dataset.validation)


def test_arrays_are_needed_again_for_a_run_that_is_opened_anew(run, dataset):
    opened = seqclf.load_run(run.path)
    with pytest.raises(DataError, match=r"was in memory .arrays..*dataset=dataset"):
        seqclf.evaluate(opened)
    assert seqclf.evaluate(opened, dataset=dataset) == run.report["test"]
    other = seqclf.Dataset.from_arrays(*sequences(seed=3), feature_names=["speed", "load"])
    with pytest.raises(RunError, match="is not what the run in"):
        seqclf.evaluate(str(run.path), dataset=other)


def test_export_writes_the_next_version(run, tmp_path):
    assert seqclf.export(run.path, tmp_path / "models") == tmp_path / "models" / "1"
    assert (tmp_path / "models/1/assets/labels.txt").read_text() == "busy\ncalm\n"


def test_a_dataset_that_was_loaded_is_found_again(tmp_path):
    digits = seqclf.load_dataset("digits", reading="columns", test=0.3)
    run = seqclf.fit(
        {"model.units": [8], "steps": 10, "jit_compile": False},
        digits,
        workdir=tmp_path / "run",
        export=False,
    )
    assert not run.export_dir.exists()
    data = seqclf.load_run(tmp_path / "run").config.data
    assert (data.source, data.reading, data.test) == ("digits", "columns", 0.3)
    scored = seqclf.evaluate(tmp_path / "run")
    assert scored == run.report["test"]
    predicted = seqclf.predict(run, digits.test)
    assert (predicted.class_index == digits.test.y).mean() == scored["accuracy"]
    images = list(digits.test.x[:5])
    np.testing.assert_array_equal(
        seqclf.predict(run, images).class_index, predicted.class_index[:5]
    )
    with pytest.raises(DataError, match=r"uint8\). Received: float64 from 0.0 to 1.0"):
        seqclf.predict(run, digits.test.x / 16)

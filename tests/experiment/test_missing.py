"""A whole run on data with gaps: training, report, export and `explain` read the same sequences."""

import json

import numpy as np
import pytest
import tensorflow as tf

from seqclf.config import resolve
from seqclf.data.normalization import as_sequences
from seqclf.data.sources import load_dataset
from seqclf.errors import RunError
from seqclf.experiment.run import run_experiment
from seqclf.experiment.run_evaluation import evaluate_run
from seqclf.inspection.inputs import load_inputs
from seqclf.inspection.stepwise import inspect_examples
from seqclf.models.loading import load_trained
from seqclf.serving.predictor import Predictor
from seqclf.storage.run_directory import Run


@pytest.mark.parametrize("normalize", ["auto", "sequence"])
def test_from_training_to_export(tmp_path, normalize):
    rng = np.random.default_rng(0)
    y, lengths = np.arange(120) % 2, rng.integers(4, 10, 120)
    slope = np.linspace(-6, 6, 9)[:, None]
    x = (rng.normal(size=(120, 9, 2)) + (3 + slope) * y[:, None, None]).astype("float32")
    if normalize == "sequence":
        x *= 10.0 ** rng.uniform(-4, 4, (120, 1, 1)).astype("float32")
    x[rng.random(x.shape) < 0.3] = np.nan
    np.savez(tmp_path / "a.npz", x=x, y=y, lengths=lengths)
    data = {"source": f"npz:{tmp_path}/a.npz", "missing": "indicator", "normalize": normalize}
    options = {"batch_size": 16, "steps": 60, "validate_every": 30, "jit_compile": False}
    config = resolve({"data": data, "model": {"units": [6]}, **options})
    report = run_experiment(config, tmp_path / "run")
    assert report["test"]["accuracy"] > 0.8

    run = Run(tmp_path / "run")
    assert evaluate_run(run, "test")["accuracy"] == report["test"]["accuracy"]
    model, spec = load_trained(run)
    test = load_dataset(**config.data.to_dict()).test
    inputs = {
        "sequences": as_sequences(test.x, spec, test.lengths),
        "lengths": tf.constant(test.lengths),
    }
    expected = tf.nn.softmax(model(inputs)).numpy()
    assert (expected.argmax(1) == test.y).mean() == report["test"]["accuracy"]
    predicted = Predictor(run.export).predict(test.x, test.lengths, ["x"] * len(test.x))
    np.testing.assert_allclose([p.probabilities for p in predicted], expected, atol=1e-6)
    np.savez(tmp_path / "new.npz", x=test.x[:3], lengths=test.lengths[:3])
    for i, (_, raw, n, _) in enumerate(load_inputs(f"{tmp_path}/new.npz", spec)):
        (inspection,) = inspect_examples(model, spec, raw, n)
        np.testing.assert_allclose(inspection.probabilities[-1], expected[i], atol=1e-6)

    content = json.loads(run.dataset.read_text())
    run.dataset.write_text(json.dumps(content | {"fill": [1.0]}))
    with pytest.raises(RunError, match="fill must have 2 values for 2"):
        load_trained(run)

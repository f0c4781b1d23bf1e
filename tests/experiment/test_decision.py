"""Temperature and threshold of an export: chosen on validation, applied wherever it answers."""

import json
import shlex

import numpy as np
import pytest
import tensorflow as tf
from running import background, free_port, python
from running import seqclf as command

import seqclf
from seqclf.errors import ConfigError
from seqclf.serving.decision import Target, parse_target

SMALL = {"steps": 12, "batch_size": 32, "model.units": [6], "jit_compile": False}
SMALL |= {"optimizer.learning_rate": 0.05, "validate_every": 12}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Returns a folder with data of two uneven classes, a run on it, and a decided export."""
    folder = tmp_path_factory.mktemp("decision")
    rng = np.random.default_rng(0)
    y = (rng.random(300) < 0.2).astype(int)
    x = rng.normal(size=(300, 6, 2)) + 0.6 * y[:, None, None]
    np.savez(folder / "u.npz", x=x, y=y, class_names=np.array(["ok", "fault"]))
    dataset = seqclf.load_dataset(f"npz:{folder}/u.npz")
    run = seqclf.fit(SMALL, dataset, workdir=folder / "run", export=False)
    seqclf.export(run, folder / "decided", calibrate=True, target_recall=0.9)
    return folder


@pytest.fixture(scope="module")
def data(folder):
    return seqclf.load_dataset(f"npz:{folder}/u.npz")


def manifest(folder):
    return json.loads((folder / "decided/1/assets.extra/manifest.json").read_text())


def test_the_export_divides_the_logits_and_answers_by_the_threshold(folder, data):
    decision = manifest(folder)["decision"]
    x = tf.constant(data.test.x)
    given = tf.saved_model.load(str(folder / "decided/1")).signatures["serving_default"](inputs=x)
    plain = seqclf.predict(seqclf.load_run(folder / "run"), data.test)
    powers = plain.probabilities.astype(np.float64) ** (1 / decision["temperature"])
    expected = powers / powers.sum(-1, keepdims=True)
    assert abs(decision["temperature"] - 1) > 0.02
    np.testing.assert_allclose(given["probabilities"], expected, atol=1e-5)
    index = (expected[:, 1] >= decision["threshold"]).astype(int)
    assert given["class_index"].numpy().tolist() == index.tolist()
    assert (index != plain.class_index).any()
    names = [name.decode() for name in given["class_name"].numpy()]
    assert names == np.array(["ok", "fault"])[index].tolist()
    trace = tf.saved_model.load(str(folder / "decided/1")).signatures["trace"](inputs=x)
    last = trace["step_probabilities"].numpy()[:, -1]
    np.testing.assert_allclose(last, expected, atol=1e-5)


def test_the_threshold_has_the_recall_and_precision_that_the_manifest_says(folder, data):
    from sklearn import metrics

    decision = manifest(folder)["decision"]
    predicted = seqclf.predict(folder / "decided", data.validation)
    truth = data.validation.y
    found = predicted.class_index
    assert metrics.recall_score(truth, found) == pytest.approx(decision["recall"])
    assert metrics.precision_score(truth, found) == pytest.approx(decision["precision"])
    assert decision["recall"] >= 0.9
    losses = decision["log_loss"]
    assert losses[1] == pytest.approx(metrics.log_loss(truth, predicted.probabilities), abs=1e-4)
    assert losses[1] < losses[0]
    assert predicted.class_name[0] == ("ok", "fault")[found[0]]


def test_manifest_card_and_verification_know_of_it(folder):
    decision = manifest(folder)["decision"]
    assert (decision["class"], decision["target"]) == ("fault", {"recall": 0.9})
    card = (folder / "decided/1/assets.extra/model_card.md").read_text()
    assert f"divided by the temperature {decision['temperature']:.4g}." in card
    assert f"'fault' is answered from a probability of {decision['threshold']:.4g} on" in card
    assert " 0 failed" in command("export", f"--verify={folder}/decided")


def test_the_command_says_what_was_chosen_and_its_export_predicts_by_it(folder):
    said = command(
        "export",
        f"--workdir={folder}/run",
        f"--export_dir={folder}/by_command",
        "--target_precision=ok=0.85",
    )
    line = next(line for line in said.splitlines() if line.startswith("Class 'ok'"))
    assert "recall" in line and "validation examples" in line and "Calibrated" not in said
    threshold = float(line.split("probability of ")[1].split(" on:")[0])
    rows = json.loads(
        command("predict", f"--model={folder}/by_command", f"{folder}/u.npz", "--json")
    )
    expected = ["ok" if row["probabilities"]["ok"] >= threshold else "fault" for row in rows]
    assert [row["class_name"] for row in rows] == expected


def test_a_server_decides_as_predict_does(folder):
    rest, grpc = free_port(), free_port()
    serve = f"{shlex.join(python())} -m seqclf.serve --export_dir=decided"
    with background(f"{serve} --port={rest} --grpc_port={grpc}", folder):
        asked = [
            json.loads(command("predict", flag, f"{folder}/u.npz", "--json"))
            for flag in (
                f"--model={folder}/decided",
                f"--server=http://127.0.0.1:{rest}/v1/models/seqclf",
                f"--server=grpc://127.0.0.1:{grpc}/seqclf",
            )
        ]
    here, *there = asked
    highest = [max(row["probabilities"], key=row["probabilities"].get) for row in here]
    assert [row["class_name"] for row in here] != highest  # the threshold decides
    for rows in there:
        assert [row["class_name"] for row in rows] == [row["class_name"] for row in here]
        for name in ("ok", "fault"):
            np.testing.assert_allclose(
                [row["probabilities"][name] for row in rows],
                [row["probabilities"][name] for row in here],
                atol=1e-6,
            )


def test_mistakes_are_one_message_each(folder):
    run = seqclf.load_run(folder / "run")
    out = folder / "never"
    with pytest.raises(ConfigError, match="one of the classes 'ok' and 'fault'. Received: 'x'"):
        seqclf.export(run, out, target_recall="x=0.5")
    with pytest.raises(ConfigError, match="Received: both"):
        seqclf.export(run, out, target_recall=0.5, target_precision=0.5)
    assert not out.exists()
    flags = (f"--workdir={run.path}", "--export_dir=d", "--target_recall=2")
    said = command("export", *flags, status=2)
    assert "a fraction above 0 and up to 1" in said and "Received: '2'" in said


def test_targets_are_parsed():
    assert parse_target(None, "") is None
    assert parse_target("0.9", None) == Target("recall", 0.9)
    assert parse_target(None, "a=b=1") == Target("precision", 1.0, "a=b")
    for wrong in ("0", "nan", "a=", "ninety", "1.01"):
        with pytest.raises(ConfigError, match="target_recall is a fraction"):
            parse_target(wrong, None)

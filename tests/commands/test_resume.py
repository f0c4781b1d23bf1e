"""kill -9 at random moments: the same command ends with the same bits as an unbroken run."""

import json
import random
import signal
import subprocess
import time

import numpy as np
import pytest
from running import python

from seqclf.models.loading import load_classifier

FLAGS = [
    "--config.data.source=digits",
    "--config.model.units=32,16",
    "--config.model.dropout=0.2",
    "--config.optimizer.name=adamw",
    "--config.optimizer.weight_decay=0.01",
    "--config.batch_size=32",
    "--config.steps=900",
    "--config.validate_every=70",
    "--config.checkpoint_every=30",
    "--config.early_stopping=50",
]


def start(workdir, *flags):
    command = [*python(), "-m", "seqclf.train", f"--workdir={workdir}", *FLAGS, *flags]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # A shell without job control starts what is in its background deaf to SIGINT.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def finish(workdir, *flags):
    process = start(workdir, *flags)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    return output


def kill_at_a_random_moment(workdir, moments, *flags):
    """Starts the command, waits for a sign of progress and a random while, kills it."""
    process = start(workdir, *flags)
    checkpoints = workdir / "checkpoints"
    before = set(checkpoints.glob("step-*.npz")) if checkpoints.exists() else set()
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if checkpoints.exists() and set(checkpoints.glob("step-*.npz")) - before:
            break
        time.sleep(0.01)
    time.sleep(moments.uniform(0, 1.5))
    alive = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return alive


def results(workdir):
    model = load_classifier(workdir / "model.keras")
    records = [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]
    for record in records:
        del record["train_seconds"], record["wait_share"]
    report = json.loads((workdir / "report.json").read_text())
    with np.load(workdir / "checkpoints" / "step-000000900.npz") as archive:
        arrays = {name: archive[name] for name in archive.files if name != "state"}
    return model.get_weights(), records, report["test"], arrays


def check(tmp_path, kills, seed, *flags):
    finish(tmp_path / "whole", *flags)
    moments = random.Random(seed)
    cut = tmp_path / "cut"
    killed = sum(kill_at_a_random_moment(cut, moments, *flags) for _ in range(kills))
    output = finish(cut, *flags)
    assert killed, "no process was caught alive: the run is too short for this test"
    assert "Resuming at step" in output or "Test accuracy" in output
    whole, cut = results(tmp_path / "whole"), results(tmp_path / "cut")
    for a, b in zip(whole[0], cut[0], strict=True):
        np.testing.assert_array_equal(a, b)
    assert whole[1] == cut[1]
    assert whole[2] == cut[2]
    assert whole[3].keys() == cut[3].keys()
    for name, array in whole[3].items():  # weights, optimiser, dropout's random state
        np.testing.assert_array_equal(array, cut[3][name])
    assert not list((tmp_path / "cut").glob("**/.tmp-*"))
    assert (tmp_path / "cut" / "export" / "1" / "saved_model.pb").is_file()


@pytest.mark.faults
def test_killed_and_resumed_ends_with_the_same_bits(tmp_path):
    # Uncompiled it starts sooner; tests/training/test_loop.py and the test below compile it.
    check(tmp_path, 2, 20, "--config.jit_compile=false")


@pytest.mark.slow
def test_killed_thirty_times(tmp_path):
    check(tmp_path, 30, 21)

"""SIGINT and SIGTERM: the step under way is saved, and the same command goes on from there."""

import json
import re
import signal
import subprocess

import numpy as np
import pytest
from running import python

pytestmark = pytest.mark.faults

FLAGS = [
    "--config.data.source=digits",
    "--config.model.units=16",
    "--config.batch_size=32",
    "--config.steps=600",
    "--config.validate_every=100",
    "--config.checkpoint_every=1000",  # none but the one that the signal asks for
    "--config.jit_compile=false",
]


def start(workdir):
    return subprocess.Popen(
        [*python(), "-m", "seqclf.train", f"--workdir={workdir}", *FLAGS],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    workdir = tmp_path_factory.mktemp("unbroken") / "run"
    process = start(workdir)
    output, _ = process.communicate(timeout=180)
    assert process.returncode == 0, output
    return workdir


@pytest.mark.parametrize("number, status", [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_it_saves_first_and_goes_on(tmp_path, unbroken, number, status):
    process = start(tmp_path / "run")
    for line in process.stdout:
        if line.startswith("step"):
            break
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == status, output
    assert f"{number.name}: saving after this step" in output
    saved = int(re.search(r"Step ([\d,]+) of 600 is saved", output)[1].replace(",", ""))
    assert "Run the same command again to go on." in output and "Traceback" not in output
    assert [p.name for p in (tmp_path / "run" / "checkpoints").glob("step-*")] == [
        f"step-{saved:09d}.npz"
    ]

    process = start(tmp_path / "run")
    output, _ = process.communicate(timeout=180)
    assert process.returncode == 0 and f"Resuming at step {saved:,} of 600" in output, output
    last = "checkpoints/step-000000600.npz"
    with np.load(unbroken / last) as whole, np.load(tmp_path / "run" / last) as resumed:
        for name in set(whole.files) - {"state"}:
            np.testing.assert_array_equal(whole[name], resumed[name], err_msg=name)
    reports = [json.loads((w / "report.json").read_text()) for w in (unbroken, tmp_path / "run")]
    assert reports[0]["test"] == reports[1]["test"]


def test_before_there_is_anything_to_save(tmp_path):
    process = start(tmp_path / "run")
    for line in process.stdout:
        if line.startswith("data "):  # it has begun, and compiles
            break
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 143, output
    assert "Traceback" not in output and "Run the same command again" in output


def test_the_clock_is_moved_back(tmp_path):
    """An hour back in the middle of a training: nothing orders or times anything by it."""
    program = """
import datetime, sys, time
import seqclf.experiment.run as experiment
from seqclf.experiment.manifest import record_start
from seqclf.config import resolve
from seqclf.storage.run_directory import Run
from seqclf.training import loop as training

real, calls = time.time, 0

def back():
    global calls
    calls += 1
    return real() - 3600 * calls

class Back(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return super().fromtimestamp(back(), tz)

time.time = back
datetime.datetime = Back
config = resolve({"data": {"source": "digits"}, "model": {"units": [8]}, "steps": 30,
                  "validate_every": 10, "checkpoint_every": 10, "jit_compile": False})
run = Run(sys.argv[1])
run.prepare(config)
dataset = experiment.load_dataset("digits")
record_start(run, config, dataset)
training.fit(config, dataset, run, until=10)
report = experiment.run_experiment(config, run.path, dataset=dataset)
assert report["training"]["steps"] == 30, report["training"]
assert report["training"]["train_seconds"] >= 0
assert (run.export / "1" / "saved_model.pb").is_file()
manifest = run.read_manifest()
assert manifest["finished"] < manifest["resumed"][0] < manifest["started"], manifest
"""
    done = subprocess.run(
        [*python(), "-c", program, str(tmp_path / "run")],
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Resuming at step 10 of 30" in done.stdout

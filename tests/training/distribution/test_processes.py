"""Two workers as real processes: the same training as one, and nothing lost when one dies."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
from cluster_of_processes import SMALL, Workers, checkpoints

pytestmark = pytest.mark.faults

TIMES = ("train_seconds", "wait_share")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("workers")


@pytest.fixture(scope="module")
def alone(folder):
    workdir = folder / "alone"
    command = [sys.executable, "-m", "seqclf.train", f"--workdir={workdir}", *SMALL]
    subprocess.run(command, check=True, timeout=180)
    return workdir


@pytest.fixture(scope="module")
def together(folder):
    """An unbroken run of two workers; the second one's workdir is another, and stays empty."""
    workdir = folder / "together"
    with Workers([workdir, folder / "unused"], *SMALL) as workers:
        outcomes = workers.wait()
    assert [status for status, _ in outcomes] == [0, 0], outcomes
    return workdir, outcomes


def records(workdir):
    lines = (workdir / "metrics.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k not in TIMES} for line in lines]


def arrays(workdir):
    with np.load(workdir / "checkpoints" / "step-000000100.npz") as archive:
        return {name: archive[name] for name in archive.files if name != "state"}


def test_two_follow_one(alone, together):
    workdir, _ = together
    one, two = records(alone), records(workdir)
    assert len(one) == len(two) == 100
    for a, b in zip(one, two, strict=True):
        assert a["train_loss"] == pytest.approx(b["train_loss"], rel=1e-5), a["step"]
        assert a["train_accuracy"] == b["train_accuracy"]  # the same examples in the same order
        assert a["learning_rate"] == b["learning_rate"]
        assert a["validation_loss"] == pytest.approx(b["validation_loss"], rel=1e-5)
        assert a["validation_accuracy"] == b["validation_accuracy"]  # every example once
    reports = [json.loads((each / "report.json").read_text()) for each in (alone, workdir)]
    assert reports[0]["test"]["confusion"] == reports[1]["test"]["confusion"]
    assert reports[1]["test"]["examples"] == 360


def test_two_carry_the_states_of_one(folder):
    """A text: each worker keeps the states of its own rows, and a checkpoint has those of both."""
    text = [
        *(f for f in SMALL if "source" not in f and "conv" not in f),
        *("--config.data.source=text:timemachine", "--config.data.letters_only"),
        *("--config.data.max_tokens=4000", "--config.data.window=10", "--config.model.dropout=0.3"),
        *("--config.steps=20", "--config.validate_every=10"),
    ]
    alone, both = folder / "text", folder / "text_of_two"
    command = [sys.executable, "-m", "seqclf.train", f"--workdir={alone}", *text]
    subprocess.run(command, check=True, timeout=180)
    with Workers([both, folder / "unused"], *text) as workers:
        outcomes = workers.wait()
    assert [status for status, _ in outcomes] == [0, 0], outcomes
    for a, b in zip(records(alone), records(both), strict=True):
        assert a["train_loss"] == pytest.approx(b["train_loss"], rel=1e-5)
        assert a["validation_loss"] == pytest.approx(b["validation_loss"], rel=1e-5)
    checkpoint = "checkpoints/step-000000020.npz"
    with np.load(alone / checkpoint) as one, np.load(both / checkpoint) as two:
        carried = [name for name in one.files if name.startswith("carried/")]
        assert len(carried) == 2 and one.files == two.files
        for name in carried:
            np.testing.assert_allclose(one[name], two[name], rtol=1e-3, atol=1e-5)


def test_only_the_chief_writes(folder, together):
    workdir, ((_, chief), (_, other)) = together
    assert not (folder / "unused").exists()
    assert (workdir / "export" / "1" / "saved_model.pb").is_file()
    assert "2 processes share each batch" in chief and "Test accuracy" in chief
    assert "Worker 1 is done" in other and "step " not in other


def test_one_is_killed_and_the_same_command_loses_nothing(folder, together):
    workdir, _ = together
    broken = folder / "broken"
    with Workers([broken, broken], *SMALL) as workers:
        workers.wait_for(lambda: len(checkpoints(broken)) >= 2)
        workers.processes[1].send_signal(signal.SIGKILL)
        killed = time.monotonic()
        workers.processes[0].wait(timeout=60)
        seconds = time.monotonic() - killed
        (status, output), _ = workers.wait()
    assert status == 1 and seconds < 60
    assert "Worker 0 of 2 has lost" in output and "Run the same command again" in output
    assert "Traceback" not in output
    assert "step-000000100.npz" not in checkpoints(broken), "killed too late: nothing is shown"

    with Workers([broken, broken], *SMALL) as workers:
        before = checkpoints(broken)
        workers.wait_for(lambda: checkpoints(broken) != before)
        workers.processes[1].send_signal(signal.SIGTERM)  # as before a preemption, to one of them
        (chief, said), (other, _) = workers.wait()
    assert (chief, other) == (143, 143), said
    assert "Another worker was asked to stop. Step" in said

    with Workers([broken, broken], *SMALL) as workers:
        (status, output), _ = workers.wait()
    assert status == 0 and "Resuming at step" in output, output
    assert records(broken) == records(workdir)
    unbroken, resumed = arrays(workdir), arrays(broken)
    assert unbroken.keys() == resumed.keys()
    for name, array in unbroken.items():
        np.testing.assert_array_equal(array, resumed[name], err_msg=name)


def line_of(process, text):
    assert any(text in line for line in iter(process.stdout.readline, "")), text


def test_one_that_waits_for_the_others_can_be_ended(folder):
    with Workers([folder / "lonely"] * 2, *SMALL) as workers:
        first, second = workers.processes
        second.kill()
        line_of(first, "waiting for 127.0.0.1:")
        first.terminate()
        said, _ = first.communicate(timeout=30)
        assert first.returncode == 143 and "Stopped by SIGTERM" in said


def test_a_signal_before_the_first_step_is_heard(folder):
    """TensorFlow takes SIGTERM for itself when workers join."""
    with Workers([folder / "early"] * 2, *SMALL, "--config.steps=100000") as workers:
        line_of(workers.processes[0], "train ")
        workers.processes[0].terminate()
        (status, said), (other, also) = workers.wait()
    assert status == 143 and "Stopped by SIGTERM" in said, said
    assert other in (1, 143) and "Traceback" not in said + also


def test_a_port_that_is_taken_is_named(folder):
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        cluster = {"worker": [f"127.0.0.1:{port}", "127.0.0.1:1"]}
        task = {"cluster": cluster, "task": {"type": "worker", "index": 0}}
        done = subprocess.run(
            [sys.executable, "-m", "seqclf.train", f"--workdir={folder / 'port'}", *SMALL],
            env=os.environ | {"TF_CONFIG": json.dumps(task)},
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 1
    assert f"port {port} of this machine cannot be listened at" in done.stderr


def test_one_cannot_begin_and_all_say_so(folder):
    """The data of one worker is missing: the other one must not wait for it."""
    missing = ["--config.data.source=npz:only-here.npz"]
    source = folder / "here"
    source.mkdir()
    x = np.random.default_rng(0).normal(size=(60, 9, 2)).astype("float32")
    np.savez(source / "only-here.npz", x=x, y=np.arange(60) % 3)
    with Workers([folder / "apart"] * 2, *SMALL, *missing, cwds=[source, folder]) as workers:
        (chief, said), (other, reason) = workers.wait()
    assert (chief, other) == (1, 1)
    assert "Worker 1 of 2 cannot begin" in said and "only-here.npz" in said
    assert "only-here.npz" in reason
    assert "Traceback" not in said + reason


def test_the_chiefs_folder_is_anothers_and_all_say_so(folder):
    taken = folder / "taken"
    taken.mkdir()
    (taken / "something").write_text("of somebody else's")
    with Workers([taken, folder / "unused"], *SMALL) as workers:
        (chief, said), (other, reason) = workers.wait()
    assert (chief, other) == (2, 1), said + reason
    assert "is no run directory" in said and "Worker 0 of 2 cannot begin" in reason
    assert [path.name for path in taken.iterdir()] == ["something"]

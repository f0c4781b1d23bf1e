"""Searches as real processes: killed and resumed, and a chief with two workers on loopback."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

import pytest

RECIPE = """
from seqclf.config import default_config
from seqclf.config.search_space import Choice, Range


def get_config():
    config = default_config()
    config.name = "small"
    config.data.source = "digits"
    config.model.units = [16]
    config.batch_size = 32
    config.steps = 300
    config.validate_every = 50
    config.checkpoint_every = 25
    config.jit_compile = False
    return config


def get_search_space():
    return {
        "optimizer.learning_rate": Range(1e-3, 1e-1, log=True),
        "model.units": Choice([8], [16], [8, 8]),
    }
"""


def start(folder, *flags, **environment):
    (folder / "recipe.py").write_text(RECIPE)
    command = [sys.executable, "-m", "seqclf.tune", "--config=recipe.py", "--workdir=s", *flags]
    return subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process, status=0):
    output, _ = process.communicate(timeout=300)
    assert process.returncode == status, output
    assert "Traceback" not in output
    return output


def wait_until(condition, process, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def reports(folder):
    return {p: p.stat().st_mtime_ns for p in (folder / "s" / "trials").glob("*/report.json")}


def steps_saved(folder):
    return {p.name for p in (folder / "s" / "trials").glob("*/checkpoints/step-*.npz")}


def statuses(folder):
    return [row["status"] for row in json.loads((folder / "s" / "results.json").read_text())]


@pytest.mark.slow  # test_oracles.py kills within one process
def test_killed_in_the_middle_of_a_trial_it_goes_on(tmp_path):
    flags = ["--tuner=random", "--max_trials=3"]
    first = start(tmp_path, *flags)
    second_trial = tmp_path / "s" / "trials" / "002" / "checkpoints"
    wait_until(lambda: any(second_trial.glob("step-*.npz")), first)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    done = reports(tmp_path)
    assert len(done) == 1
    output = finish(start(tmp_path, *flags))
    assert "Resuming: 1 trials have ended before." in output
    assert re.search(r"Resuming at step \d+ of 300", output)
    assert done.items() <= reports(tmp_path).items()  # the finished trial was left as it was
    assert statuses(tmp_path) == ["completed"] * 3
    manifests = [json.loads(p.read_text()) for p in (tmp_path / "s/trials").glob("*/manifest.json")]
    assert sorted(len(m.get("resumed", [])) for m in manifests) == [0, 0, 1]
    assert re.search(r"trial 3 of 3: learning_rate .*, units \[", output)
    assert re.search(
        r"trial 2: validation_accuracy 0\.\d+ \(best so far 0\.\d+, trial \d\)", output
    )
    assert "about 0:" in output
    names = re.findall(r"-m seqclf.train --config=(\S+)", output)
    assert names == ["s/best_config.py"] and (tmp_path / names[0]).exists()


@pytest.mark.faults
def test_a_chief_and_two_workers_one_of_which_is_killed(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = {"KERASTUNER_ORACLE_IP": "127.0.0.1", "KERASTUNER_ORACLE_PORT": str(port)}
    flags = ["--tuner=random", "--max_trials=5", "--lost_after=3"]
    chief, *workers = (
        start(tmp_path, *flags, KERASTUNER_TUNER_ID=name, **address)
        for name in ("chief", "tuner0", "tuner1")
    )
    wait_until(lambda: len(steps_saved(tmp_path)) >= 2, chief)
    wait_until(lambda: (tmp_path / "s/trials/002/checkpoints").exists(), chief)
    workers[0].send_signal(signal.SIGKILL)
    workers[0].communicate()
    finish(workers[1])
    output = finish(chief)
    assert "worker tuner0 is not heard of any more" in output
    assert statuses(tmp_path) == ["completed"] * 5
    assert "| rank | trial | validation_accuracy |" in output
    assert (tmp_path / "s" / "best_config.py").exists()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--tuner=annealing"], "--tuner"),
        (["--max_trials=0"], "--max_trials"),
        (["--objective=test_accuracy"], "--objective"),
        (["--config=nowhere.py"], "no such file: 'nowhere.py'"),
        (["--config.modle.units=3"], "Did you mean `model.units`?"),
        (["--config.data.source=npz:nowhere.npz"], "nowhere.npz"),
        (
            ["--config.optimizer.learning_rate=0.1", "--config.model.units=4"],
            "Every key of the search space is given on the command line",
        ),
    ],
)
def test_mistakes_end_in_one_message(tmp_path, flags, message):
    output = start(tmp_path, *flags).communicate(timeout=120)
    assert message in output[0]
    assert "Traceback" not in output[0]
    assert not (tmp_path / "s").exists()


@pytest.mark.slow
def test_environments_and_recipes_that_cannot_be_used(tmp_path):
    process = start(tmp_path, KERASTUNER_ORACLE_IP="127.0.0.1")
    output = finish(process, status=1)
    assert "KERASTUNER_TUNER_ID, KERASTUNER_ORACLE_PORT is not" in output
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for port in (str(taken.getsockname()[1]), "abc"):
            chief = {"KERASTUNER_TUNER_ID": "chief", "KERASTUNER_ORACLE_IP": "127.0.0.1"}
            process = start(tmp_path, **chief, KERASTUNER_ORACLE_PORT=port)
            assert f"cannot listen at 127.0.0.1:{port}" in finish(process, status=1)
    assert not (tmp_path / "s").exists()
    (tmp_path / "broken.py").write_text(RECIPE.replace("Range(1e-3", "range(1e-3"))
    output = finish(start(tmp_path, "--config=broken.py"), status=2)
    assert "broken.py: get_search_space() failed: TypeError" in output
    (tmp_path / "plain.py").write_text(RECIPE.partition("def get_search_space")[0])
    output = finish(start(tmp_path, "--config=plain.py"), status=2)
    assert "must be a recipe with a function get_search_space()" in output

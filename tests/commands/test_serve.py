"""An export served by a process of its own, and asked by others: the commands together."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import time

import numpy as np
import pytest
from running import python, seqclf

from seqclf.serving.versions import versions

FLAGS = ("--config.data.source=digits", "--config.steps=60", "--config.model.units=16")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run and its export, `run` and `models/1`."""
    folder = tmp_path_factory.mktemp("served")
    seqclf("train", *FLAGS, "--workdir=run", cwd=folder)
    shutil.copytree(folder / "run" / "export", folder / "models")
    return folder


class Server:
    def __init__(self, folder, *flags):
        command = [*python(), "-m", "seqclf.serve", "--export_dir=models"]
        self.process = subprocess.Popen(
            [*command, "--port=0", "--grpc_port=0", *flags],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines = []
        for line in self.process.stdout:
            self.lines.append(line)
            if "Ctrl-C" in line:
                break
        said = "".join(self.lines)
        self.rest = re.search(r"REST\s+(\S+)", said)[1]
        self.grpc = "grpc://" + re.search(r"gRPC\s+(\S+)", said)[1]

    def end(self, by=signal.SIGTERM):
        self.process.send_signal(by)
        output, _ = self.process.communicate(timeout=60)
        return self.process.returncode, output


@pytest.fixture(scope="module")
def server(folder):
    server = Server(folder)
    yield server
    assert server.end()[0] == 0


def test_rest_and_grpc_give_the_same_answers_as_the_model_itself(folder, server):
    x = np.random.default_rng(0).integers(0, 17, (150, 8, 8), dtype=np.uint8)
    np.savez(folder / "many.npz", x=x)  # more than one request may hold
    files = [*sorted((folder / "run" / "samples").glob("*.png")), folder / "many.npz"]
    asked = [
        json.loads(seqclf("predict", flag, "--json", *files, cwd=folder))
        for flag in ("--model=models", f"--server={server.rest}", f"--server={server.grpc}")
    ]
    assert len(asked[0]) == 153
    for answers in asked[1:]:
        for here, there in zip(asked[0], answers, strict=True):
            assert here["input"] == there["input"] and here["class_name"] == there["class_name"]
            np.testing.assert_allclose(
                list(here["probabilities"].values()),
                list(there["probabilities"].values()),
                atol=1e-6,
            )
    text = seqclf("predict", f"--server={server.rest}", "--wait=10", files[0], cwd=folder)
    assert text == seqclf("predict", "--model=models", files[0], cwd=folder)


def test_inverted_pictures_are_inverted_before_they_are_sent(folder, server):
    file = next((folder / "run" / "samples").glob("*.png"))
    plain, inverted, here = (
        seqclf("predict", flag, "--json", *more, file, cwd=folder)
        for flag, more in (
            (f"--server={server.rest}", ()),
            (f"--server={server.rest}", ("--invert",)),
            ("--model=models", ("--invert",)),
        )
    )
    assert inverted == here != plain


def test_what_a_server_says_no_to_ends_in_one_message(folder, server):
    file = next((folder / "run" / "samples").glob("*.png"))
    name = f"--server={server.rest.replace('seqclf', 'other')}"
    assert "Servable not found for request: Latest(other)" in seqclf(
        "predict", name, file, status=1, cwd=folder
    )
    version = f"--server={server.rest}/versions/9"
    assert "Specific(seqclf, 9)" in seqclf("predict", version, file, status=1, cwd=folder)
    refused = seqclf("predict", "--server=http://127.0.0.1:9", file, status=1, cwd=folder)
    assert "127.0.0.1:9" in refused
    nobody = ("--server=http://127.0.0.1:9", "--wait=0.5")
    assert "not available within 0.5 s" in seqclf("predict", *nobody, file, status=1, cwd=folder)
    label = seqclf("predict", f"--server={server.rest}/labels/x", file, status=1, cwd=folder)
    assert "Unrecognized servable version label: x" in label and "label in the address" in label
    rest_port = f"--server=grpc://{server.rest.split('/')[2]}"
    assert "Is this the port of gRPC" in seqclf("predict", rest_port, file, status=1, cwd=folder)
    for flags in ((), ("--model=models", f"--server={server.rest}"), ("--server=ftp://x",)):
        seqclf("predict", *flags, file, status=2, cwd=folder)
    (folder / "junk.png").write_bytes(b"junk")
    for flag in ("--model=models", f"--server={server.rest}"):
        message = seqclf("predict", flag, "junk.png", status=1, cwd=folder)
        assert "junk.png: not a readable image" in message


@pytest.mark.slow  # tests/serving/server/test_versions.py does it in one process
def test_a_new_version_is_taken_over(folder, server):
    seqclf("export", "--workdir=run", "--export_dir=models", cwd=folder)
    file = next((folder / "run" / "samples").glob("*.png"))
    newest = max(versions(folder / "models"))
    for _ in range(100):
        said = seqclf_status(server)
        if {str(newest): "AVAILABLE"}.items() <= said.items():
            break
        time.sleep(0.3)
    assert said == {str(newest): "AVAILABLE", str(newest - 1): "END"}
    seqclf("predict", f"--server={server.rest}/versions/{newest}", file, cwd=folder)


def seqclf_status(server):
    import urllib3

    body = urllib3.request("GET", server.rest).json()
    return {entry["version"]: entry["state"] for entry in body["model_version_status"]}


def test_an_interrupt_ends_it_quietly(folder):
    server = Server(folder)
    status, output = server.end(signal.SIGINT)
    assert status == 0 and "Traceback" not in output


def test_it_says_what_is_wrong_and_ends(folder, server):
    port = re.search(r":(\d+)/", server.rest)[1]
    taken = seqclf("serve", "--export_dir=models", f"--port={port}", status=1, cwd=folder)
    assert f"127.0.0.1:{port} cannot be listened on" in taken and "--port" in taken
    one = seqclf("serve", "--export_dir=models/1", status=1, cwd=folder)
    assert "models/1 is one version: give the folder in which it is" in one
    taken = seqclf(
        "serve", "--export_dir=models", "--port=0", f"--grpc_port={port}", status=1, cwd=folder
    )
    assert "choose another --grpc_port" in taken
    missing = seqclf("serve", "--export_dir=nowhere", status=1, cwd=folder)
    assert "nowhere: no exported model there" in missing
    for given, said in (("a", "--labels takes NAME=VERSION"), ("a=1,a=2", "names 'a' twice")):
        labels = seqclf("serve", "--export_dir=models", f"--labels={given}", status=2, cwd=folder)
        assert said in labels
    (folder / "broken" / "1").mkdir(parents=True)
    (folder / "broken" / "1" / "saved_model.pb").write_bytes(b"junk")
    broken = seqclf("serve", "--export_dir=broken", "--port=0", status=1, cwd=folder)
    assert "No version in broken can be served" in broken


def test_verify_says_what_is_wrong(folder, tmp_path):
    assert "0 failed" in seqclf("export", "--verify=models", cwd=folder)
    shutil.copytree(folder / "models" / "1", tmp_path / "1")
    (tmp_path / "1" / "saved_model.pb").write_bytes(b"junk")
    done = subprocess.run(
        [*python(), "-m", "seqclf.export", f"--verify={tmp_path}"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert re.search(r"FAILED\s+layout", done.stdout)
    message = seqclf("export", f"--verify={folder}/run", status=1)
    assert "no exported model there" in message and "run: " in message
    for flags in ((), ("--workdir=run",), ("--workdir=run", "--export_dir=a", "--verify=models")):
        assert "or --verify=FOLDER alone" in seqclf("export", *flags, status=2, cwd=folder)
    message = seqclf("export", "--verify=models", "--calibrate", status=2, cwd=folder)
    assert "--calibrate says nothing about how to verify" in message
    flags = ("--workdir=run", "--export_dir=a", "--runtime=b")
    message = seqclf("export", *flags, status=2, cwd=folder)
    assert "--runtime says nothing about how to export" in message


@pytest.mark.slow
def test_an_export_killed_at_random_moments(folder):
    """The command itself: whatever is there afterwards is whole, and the next export works."""
    rng = random.Random(1)
    command = [*python(), "-m", "seqclf.export", "--workdir=run", "--export_dir=killed"]
    for _ in range(15):
        process = subprocess.Popen(
            [*command, "--keep=2"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(rng.uniform(4, 14))
        process.kill()
        process.wait()
    left = versions(folder / "killed")
    seqclf("export", "--workdir=run", "--export_dir=killed", "--keep=2", cwd=folder)
    assert max(versions(folder / "killed")) > max(left, default=0)
    assert not [e for e in os.listdir(folder / "killed") if e.startswith(".tmp-")]
    for number in versions(folder / "killed"):
        assert "0 failed" in seqclf("export", f"--verify=killed/{number}", cwd=folder)

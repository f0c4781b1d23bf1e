"""The requests of docs/serving.md are sent, as they stand there, to a server of our own."""

import dataclasses
import itertools
import json
import os
import re
import shlex
import shutil
import subprocess
import sys

import numpy as np
import pytest
from json_forms import form
from PIL import Image
from running import ROOT, background, free_port, python

from seqclf import build_classifier
from seqclf.config import resolve
from seqclf.data.dataset import DatasetSpec
from seqclf.data.normalization import as_sequences
from seqclf.serving.export import write_version
from seqclf.serving.saved_model import SavedModel
from seqclf.serving.warmup import blank_examples

PAGE = (ROOT / "docs" / "serving.md").read_text()
ASKING = re.compile(r"^(MODEL=|SEQUENCES=|curl |python -c |printf )")

PROGRAMS = re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S)


def requests():
    """Yields each block of the page that asks a server, and the JSON shown below it, or None."""
    blocks = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    for (language, text), (below, answer) in itertools.pairwise([*blocks, ("", "")]):
        lines = text.replace("\\\n", " ").splitlines()
        if language == "sh" and all(ASKING.match(line) for line in lines):
            yield "\n".join(lines), json.loads(answer) if below == "json" else None


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """An untrained model of MNIST's shape, served; returns a folder and the server's port."""
    folder = tmp_path_factory.mktemp("page")
    version = folder / "models" / "1"
    version.mkdir(parents=True)
    spec = DatasetSpec("t", "rows", (28, 28), "uint8", tuple("0123456789"), scale=(1 / 255,))
    model = build_classifier(resolve({"model": {"units": [8]}}), spec)
    write_version(version, model, spec, {}, "uint8", blank_examples(spec))
    Image.fromarray(np.zeros((40, 30), np.uint8)).save(folder / "digit.png")
    port = free_port()
    command = f"{shlex.join(python())} -m seqclf.serve --export_dir=models --labels=stable=1"
    with background(f"{command} --port={port} --grpc_port=-1", folder):
        yield folder, port


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not on this machine")
def test_the_requests_get_answers_of_the_form_that_is_shown(served):
    folder, port = served
    known = f"MODEL=http://127.0.0.1:{port}/v1/models/seqclf\n"
    compared = 0
    for text, shown in (block for block in requests() if "$SEQUENCES" not in block[0]):
        text = text.replace("8501", str(port)).replace("python ", f"{shlex.join(python())} ")
        text = text.replace("curl ", "curl --silent --fail-with-body ")
        done = subprocess.run(
            ["bash", "-ec", known + text], cwd=folder, capture_output=True, text=True
        )
        assert done.returncode == 0, text + done.stdout + done.stderr
        assert re.search(r'"(predictions|outputs|results|model_spec)"', done.stdout), done.stdout
        if shown is not None:
            assert form(json.loads(done.stdout)) == form(shown), text
            compared += 1
    assert compared == 4


def test_the_client_s_program(served):
    folder, port = served
    program = PROGRAMS[0].replace("8501", str(port))
    done = subprocess.run(
        [*python(), "-c", program],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    assert re.match(r"\['\d'\] \[\[0\.", done.stdout)


def test_the_request_for_sequences(tmp_path):
    (maker,) = re.findall(r"^python -c '(.*)' > sequences.json$", PAGE, re.M)
    done = subprocess.run([sys.executable, "-c", maker], capture_output=True, text=True, check=True)
    sent = json.loads(done.stdout)["inputs"]
    below = re.search(r"\$SEQUENCES:predict\n```\n\n```json\n(.*?)^```", PAGE, re.M | re.S)
    shown = json.loads(below[1])
    names = tuple(sorted(shown["outputs"]["class_name"], reverse=True))
    spec = DatasetSpec("t", "rows", (5, 2), "float32", names, variable_length=True)
    model = build_classifier(resolve({"model": {"units": [4]}}), spec)
    write_version(tmp_path, model, spec, {}, "float32", blank_examples(spec))

    served = SavedModel(tmp_path)
    types = {name: info.dtype for name, info in served.signatures["serving_default"].inputs.items()}
    outputs = served.run("serving_default", {k: np.array(v, types[k]) for k, v in sent.items()})

    assert {name: list(value.shape) for name, value in outputs.items()} == {
        name: list(np.shape(value)) for name, value in shown["outputs"].items()
    }
    first_steps = np.array(sent["inputs"], "float32")[:, :1]
    lengths = np.ones(len(first_steps), "int32")
    alone = served.run("serving_default", {"inputs": first_steps, "lengths": lengths})
    np.testing.assert_allclose(  # the second sequence is as long as its length says
        alone["probabilities"][1], outputs["probabilities"][1], atol=1e-6
    )


@pytest.fixture(scope="module")
def sequences(tmp_path_factory):
    """An untrained model of sequences of 2 features with gaps, served; its URL."""
    folder = tmp_path_factory.mktemp("page") / "models"
    names = ("calm", "busy")
    spec = DatasetSpec("t", "rows", (5, 2), "float32", names, variable_length=True)
    spec = dataclasses.replace(spec, missing="interpolate", fill=(0.0, 1.0))
    model = build_classifier(resolve({"model": {"units": [4]}}), spec)
    (folder / "1").mkdir(parents=True)
    write_version(folder / "1", model, spec, {}, "float32", blank_examples(spec))
    port = free_port()
    command = f"{shlex.join(python())} -m seqclf.serve --export_dir=models --name=sequences"
    with background(f"{command} --port={port} --grpc_port=-1", folder.parent):
        yield port


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not on this machine")
def test_the_requests_for_sequences(sequences, tmp_path):
    blocks = [block for block in requests() if "$SEQUENCES" in block[0]]
    assert len(blocks) == 4
    for text, shown in blocks:
        text = f"SEQUENCES=http://127.0.0.1:8501/v1/models/sequences\n{text}"
        text = text.replace("8501", str(sequences)).replace("python ", f"{shlex.join(python())} ")
        text = text.replace("curl ", "curl --silent --fail-with-body ")
        done = subprocess.run(["bash", "-ec", text], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, text + done.stdout + done.stderr
        answer = json.loads(done.stdout)
        assert form(answer) == form(shown), text
        if "predictions" in shown:
            assert len(answer["predictions"]) == len(shown["predictions"])


def test_the_client_s_program_for_sequences(sequences):
    program = PROGRAMS[1].replace("8501", str(sequences))
    done = subprocess.run([*python(), "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert re.match(r"\['\w+' '\w+'\]\n$", done.stdout)


def test_the_program_of_the_client_alone(sequences):
    (program,) = (text for text in PROGRAMS if "seqclf_client" in text)
    program = program.replace("8501", str(sequences))
    env = {**os.environ, "PYTHONPATH": str(ROOT / "clients/python")}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert re.match(r"\['\w+', '\w+'\]\n$", done.stdout)


def test_the_program_for_onnx_runtime(tmp_path):
    pytest.importorskip("tf2onnx", reason="the extra `onnx` is not installed")
    from seqclf.serving.onnx_file import write_onnx
    from seqclf.serving.warmup import WarmupExamples

    spec = DatasetSpec("t", "rows", (28, 28), "uint8", tuple("abcdefghij"), scale=(1 / 255,))
    model = build_classifier(resolve({"model": {"units": [8]}}), spec)
    images = np.random.default_rng(0).integers(0, 256, (5, 28, 28), dtype=np.uint8)
    write_onnx(tmp_path / "models/mine/1", model, spec, "uint8", WarmupExamples(images[:1]))
    np.save(tmp_path / "images.npy", images)
    (program,) = (text for text in PROGRAMS if "onnxruntime" in text)
    done = subprocess.run(
        [sys.executable, "-c", f"import numpy\nimages = numpy.load('images.npy')\n{program}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    index = model(as_sequences(images, spec)).numpy().argmax(-1)
    assert done.stdout == f"{['abcdefghij'[i] for i in index]}\n", done.stderr

"""A command that needs an extra says so, and how to install it, before TensorFlow starts."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("extra", "command", "said"),
    [
        (
            "onnx",
            "export --onnx --workdir=runs/a --export_dir=a",
            "--onnx needs tf2onnx, onnx, onnxruntime",
        ),
        (
            "serve",
            "serve --export_dir=a",
            "seqclf.serve needs aiohttp, grpc_health, prometheus_client",
        ),
    ],
)
def test_missing_packages_are_named_before_tensorflow_starts(extra, command, said, tmp_path):
    program = f"""
import importlib.util, sys
from seqclf.serving.extra_packages import PACKAGES
absent = PACKAGES["{extra}"]
sys.modules.update(dict.fromkeys([*absent, "tensorflow"]))  # importing one fails
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name in absent else find(name, *more)
sys.argv = ["seqclf", *"{command}".split()]
from seqclf.__main__ import main
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 2, done.stderr
    assert f"{said}, which are not installed: pip install 'seqclf[{extra}]'" in done.stderr
    assert "Traceback" not in done.stderr

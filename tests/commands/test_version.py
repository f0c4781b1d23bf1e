"""`seqclf --version`: versions, and the native operations, without TensorFlow."""

import importlib.metadata
import os
import re
import subprocess
import sys

import pytest
from running import ROOT

import seqclf
from seqclf.layers import native
from seqclf.version import own_version, version_of


def said(**env):
    command = [sys.executable, "-X", "importtime", "-m", "seqclf", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **env})
    assert done.returncode == 0, done.stderr
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "seqclf.console.about" in imported
    assert not {"tensorflow", "keras", "numpy"} & imported
    return done.stdout.splitlines()


def test_the_version_is_that_of_pyproject():
    text = (ROOT / "pyproject.toml").read_text()
    version = re.search(r'^\[project\]\nname = "seqclf"\nversion = "([\d.]+)"', text, re.MULTILINE)[
        1
    ]
    assert seqclf.__version__ == own_version() == version
    assert version_of("no-such-distribution") is None


def test_versions_and_native_operations():
    versions = {name: importlib.metadata.version(name.lower()) for name in ("TensorFlow", "Keras")}
    assert said() == [
        f"seqclf {own_version()}",
        *(f"{name} {version}" for name, version in versions.items()),
        # As the process says that has TensorFlow and has loaded them.
        f"native operations: {native.instruction_set() or f'none: {native.obstacle()}'}",
    ]


def test_why_there_are_no_native_operations():
    (line,) = said(SEQCLF_NATIVE="0")[3:]
    assert line == "native operations: none: the environment has SEQCLF_NATIVE=0"


@pytest.mark.skipif(
    native.instruction_set() in ("", "plain"), reason="this machine has no choice, or no compiler"
)
def test_the_instruction_set_is_that_which_is_chosen():
    assert said(SEQCLF_NATIVE_ISA="plain")[3] == "native operations: plain"


def test_a_library_that_cannot_be_loaded(tmp_path, monkeypatch):
    from seqclf.console import about

    code = about.COMPILED.read_text()
    (tmp_path / "compiled.py").write_text(code)
    (tmp_path / "_gru.so").write_bytes(b"no library")
    monkeypatch.setattr(about, "COMPILED", tmp_path / "compiled.py")
    assert re.match(r"none: _gru\.so could not be loaded: .*\S", about.native_operations())
    (tmp_path / "_gru.so").unlink()
    assert about.native_operations().startswith("none: it was not built")

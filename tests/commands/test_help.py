"""`--help`, `--help=config`, `python -m seqclf --help`: they end with 0 and say what there is."""

import os
import subprocess
import sys

import pytest
from running import python, seqclf

from seqclf.config import SCHEMA

FLAGS = {
    "train": "--workdir",
    "tune": "--max_trials",
    "compare": "--cells",
    "shard": "--shards",
    "evaluate": "--split",
    "explain": "--[no]gradients",
    "export": "--export_dir",
    "predict": "--[no]invert",
    "generate": "--top_k",
    "serve": "--grpc_port",
}


@pytest.mark.parametrize("command", FLAGS)
def test_it_describes_the_command_and_its_own_flags(command):
    text = seqclf(command, "--help")
    assert FLAGS[command] in text
    assert f"python -m seqclf.{command}" in text
    own = [line for line in text.splitlines() if line.startswith("  --")]
    assert len(own) < 30, "the flags of libraries, or one for each key of the config, are listed"


@pytest.mark.parametrize("command", ["train", "tune", "compare"])
def test_it_says_how_a_key_of_the_config_is_changed(command):
    text = " ".join(seqclf(command, "--help").split())
    for words in ("--config:", "--config.KEY=VALUE", "--config.steps=500", "--help=config"):
        assert words in text


@pytest.mark.parametrize("flag", ["-h", "--helpshort"])
def test_other_spellings(flag):
    assert seqclf("train", flag) == seqclf("train", "--help")


def test_all_flags_are_in_helpfull():
    text = seqclf("train", "--helpfull")
    assert all(f"config.{key}" in text for key in SCHEMA)


def test_the_keys_of_the_config_with_default_range_and_meaning():
    lines = seqclf("train", "--help=config").splitlines()
    for key, known in SCHEMA.items():
        default = list(known.default) if known.kind is tuple else known.default
        at = lines.index(f"{key} = {default!r}")
        assert lines[at + 1].strip() == known.allowed() and lines[at + 2].strip() == known.doc
    at = lines.index("data.validation = 0.1")
    assert lines[at + 1].strip() == "a number from 0 to 0.5"


def test_what_follows_two_dashes_is_no_flag():
    assert "Only flags are taken. Received: --help" in seqclf("train", "--", "--help", status=2)


def test_the_package_lists_its_commands():
    done = subprocess.run([*python(), "-m", "seqclf", "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    assert all(f"\n  {command} " in done.stdout for command in FLAGS)
    done = subprocess.run([*python(), "-m", "seqclf", "tran"], capture_output=True, text=True)
    assert done.returncode == 2 and "No such command: 'tran'" in done.stderr


@pytest.mark.parametrize("module", ["seqclf", "seqclf.train"])
def test_a_reader_that_has_ended(module):
    """As in `seqclf --help | head -1`: no traceback, and the status that shells give."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", module, "--help"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")

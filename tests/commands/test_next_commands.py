"""The commands that are printed for a user to paste: a shell must read them as they are meant."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from seqclf.console.next_commands import command_line, next_block

PACKAGE = Path(__file__).parents[2] / "seqclf"
NAMES = [
    "plain/1",
    "my searches/öffnung 1",
    "it's",
    '"quoted"',
    "$HOME",
    "a;b&c|d",
    "*?[x]",
    "`id`",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_shell_reads_what_was_meant(name):
    line = command_line("seqclf.train", {"config": f"{name}/best.py", "config.steps": 3}, name)
    _, rest = line.split(" ", 1)  # the shell prints the words instead of running Python
    said = subprocess.run(["sh", "-c", f"printf '%s\\n' {rest}"], capture_output=True, text=True)
    words = ["-m", "seqclf.train", f"--config={name}/best.py", "--config.steps=3", name]
    assert said.stdout.splitlines() == words


def test_an_argument_is_never_taken_for_a_flag():
    assert command_line("seqclf.predict", {}, "-x.png").endswith(" ./-x.png")


def test_this_python_is_quoted_too(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "my env/bin/python"))
    assert shlex.split(command_line("seqclf.train", {}))[0] == "my env/bin/python"


def test_the_block():
    assert next_block("a", "b") == ["Next:", "  a", "  b"]


def test_nothing_else_prints_commands():
    for path in PACKAGE.rglob("*.py"):
        if path.name != "next_commands.py":
            assert '"Next:' not in path.read_text(), f"{path} prints a block of its own"

"""Every command and program in README and the guide runs, in the order in which it stands there."""

import contextlib
import csv
import os
import re
import shlex
import shutil
import subprocess

import pytest
from running import ROOT, background, free_port, python

README = (ROOT / "README.md").read_text()
GUIDE = (ROOT / "docs" / "guide.md").read_text()
DEVELOPING = (ROOT / "docs" / "developing.md").read_text()
WORDS = 1200  # README has no more
MNIST_DIR = os.environ.get("SEQCLF_MNIST_DIR", "")


def blocks(page):
    """Returns the fenced blocks of a page: (language, text)."""
    return re.findall(r"^```(\w+)\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)


def commands(text):
    """Returns the seqclf commands of a block, and `kill %1`, comments and prompts taken off."""
    plain = [line.partition("#")[0].strip() for line in text.splitlines()]
    # Lines that begin otherwise set up a chief or a worker.
    return [
        line
        for line in plain
        if line == "kill %1" or (line.startswith("python ") and "-m seqclf." in line)
    ]


def shortened(command):
    """Returns a command with its training cut short: what is tested is that it runs."""
    short = " --config.steps=20 --config.jit_compile=false"
    if "seqclf.train" in command:
        command = re.sub(r" --config\.steps=\d+", "", command) + short
    if "seqclf.tune" in command:
        command = command.replace("--max_trials=20", "--max_trials=2") + short
    return command.replace("python ", f"{shlex.join(python())} ", 1)


def run(command, folder):
    done = subprocess.run(
        command, shell=True, cwd=folder, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


def test_the_way_in(tmp_path):
    run_all(README, tmp_path)
    assert (tmp_path / "runs/first/export/1/saved_model.pb").is_file()
    with (tmp_path / "scores.csv").open(newline="") as file:
        assert len(list(csv.reader(file))) == 1 + 1797


def test_the_guide(tmp_path):
    run_all(GUIDE, tmp_path)
    assert (tmp_path / "models/mine/1/saved_model.pb").is_file()
    assert same_predictions(tmp_path / "digits_scores.csv", tmp_path / "served.csv") == 97


def test_readme_is_short():
    assert len(README.split()) <= WORDS


def run_all(page, tmp_path):
    """Runs the commands and programs of a page, but for those that need MNIST."""
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    rest, grpc = free_port(), free_port()  # the machine may serve something on the usual ones
    with contextlib.ExitStack() as servers:
        for language, text in blocks(page):
            text = text.replace(":8501", f":{rest}").replace(":8500", f":{grpc}")
            if language == "python":
                (tmp_path / "program.py").write_text(text)
                run(f"{shlex.join(python())} program.py", tmp_path)
            for command in commands(text) if language == "sh" else ():
                if command == "kill %1":
                    servers.close()
                elif command.endswith("&"):
                    flags = f" --port={rest} --grpc_port={grpc}"
                    command = shortened(command).rstrip("& ") + flags
                    servers.enter_context(background(command, tmp_path))
                elif "mnist" not in command:
                    run(shortened(command), tmp_path)


def same_predictions(*paths):
    """Compares the first two columns of tables; returns the number of their rows."""
    tables = []
    for path in paths:
        with path.open(newline="") as file:
            tables.append([row[:2] for row in csv.reader(file)][1:])
    assert tables[0] == tables[1]
    return len(tables[0])


@pytest.mark.slow
@pytest.mark.skipif(not MNIST_DIR, reason="$SEQCLF_MNIST_DIR names no folder with MNIST's files")
def test_the_mnist_commands(tmp_path):
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    text = "".join(text for language, text in blocks(README) if language == "sh")
    training, *others = [command for command in commands(text) if "mnist" in command]
    run(f"{shortened(training)} --config.data.tfds_dir={tmp_path}/tfds", tmp_path)
    for command in others:
        run(shortened(command), tmp_path)


def test_make_targets_exist():
    makefile = (ROOT / "Makefile").read_text()
    code = "".join(text for page in (README, DEVELOPING) for _, text in blocks(page))
    targets = set(re.findall(r"^make ([a-z-]+)", code, flags=re.MULTILINE))
    assert targets == {
        *("train", "test", "check", "coverage", "faults", "notebooks", "test-slow", "test-runtime"),
        *("sanitize", "lock", "docs", "dist"),
    }
    assert all(f"\n{target}:" in makefile for target in targets)


def test_the_files_that_are_named_exist():
    pages = README + GUIDE + DEVELOPING
    for name in re.findall(r"`((?:seqclf|configs)/[\w/.]+)`|\]\((docs/[^)]+)\)", pages):
        assert (ROOT / (name[0] or name[1])).exists(), name


def test_what_the_docs_link_to_exists():
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"

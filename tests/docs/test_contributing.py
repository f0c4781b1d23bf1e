"""The three examples of CONTRIBUTING are carried out, as they stand there, in a copy."""

import os
import re
import shutil
import subprocess
import sys

from running import ROOT

PAGE = (ROOT / "CONTRIBUTING.md").read_text()
BLOCKS = re.findall(
    r"^```(python|diff)\n(.*?)^```",
    (ROOT / "CONTRIBUTING.md").read_text(),
    re.MULTILINE | re.DOTALL,
)


def change(folder, diff):
    """Carries out a diff without line numbers, whose hunks begin with `@@`."""
    for part in diff.split("--- ")[1:]:
        name, *hunks = re.split(r"\n@@\n|\n\Z", part.removesuffix("\n") + "\n")
        path = folder / name
        for hunk in filter(None, hunks):
            lines = hunk.split("\n")
            old, new = (
                "".join(line[1:] + "\n" for line in lines if line[:1] in kinds)
                for kinds in (" -", " +")
            )
            text = path.read_text()
            assert text.count(old) == 1, f"{name} has {text.count(old)} times:\n{old}"
            path.write_text(text.replace(old, new))


def test_each_example_is_complete(tmp_path):
    ignored = shutil.ignore_patterns("__pycache__", ".*_cache")
    for name in ("seqclf", "tests", "configs"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    tests = []
    for kind, text in BLOCKS:
        if kind == "diff":
            change(tmp_path, text)
            continue
        name = text.partition("\n")[0].removeprefix("# ")
        assert not (tmp_path / name).exists()
        (tmp_path / name).write_text(text)
        tests += [name] if name.startswith("tests/") else []
    assert len(tests) == 3
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:xdist", "-p", "no:cacheprovider", *tests],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 7 passed" in done.stdout or "7 passed" in done.stdout, done.stdout

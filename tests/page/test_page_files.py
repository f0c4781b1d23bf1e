"""What the page is made of, and that it comes with the package; this needs no browser."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from seqclf.serve import PAGE_FOLDER

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "page"


def test_nothing_is_fetched_from_elsewhere():
    files = list(PAGE.iterdir())
    assert len(files) > 4
    for file in files:
        for address in re.findall(r"https?://[^\s\"']*|[\"'(]//[^\s\"']*", file.read_text()):
            assert address.startswith("http://127.0.0.1:8501"), file


def test_the_index_names_each_other_file_once():
    index = (PAGE / "index.html").read_text()
    named = re.findall(r'<(?:script src|link rel="stylesheet" href)="([^"]+)"', index)
    others = {file.name for file in PAGE.iterdir()} - {"index.html"}
    assert sorted(named) == sorted(others)


def test_the_package_has_the_page_of_the_checkout():
    assert PAGE_FOLDER.resolve() == PAGE
    assert {file.name for file in PAGE_FOLDER.iterdir()} == {file.name for file in PAGE.iterdir()}


@pytest.mark.parametrize("by_way_of_an_sdist", [False, True])
def test_a_wheel_holds_the_page(tmp_path, by_way_of_an_sdist):
    source = tmp_path / "source"
    source.mkdir()
    for name in ("seqclf", "configs", "page"):
        ignored = shutil.ignore_patterns("__pycache__", "*.so")
        shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=ignored)
    for name in ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    if by_way_of_an_sdist:
        build(source, "build_sdist", tmp_path)
        (archive,) = tmp_path.glob("*.tar.gz")
        shutil.unpack_archive(archive, tmp_path / "unpacked")
        (source,) = (tmp_path / "unpacked").iterdir()
    build(source, "build_wheel", tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        held = {
            name.removeprefix("seqclf/page/"): opened.read(name)
            for name in opened.namelist()
            if name.startswith("seqclf/page/")
        }
    assert held == {file.name: file.read_bytes() for file in PAGE.iterdir()}


def build(source, what, target):
    """Builds a distribution as an installer does, without the native operations."""
    code = f"from setuptools import build_meta; build_meta.{what}({str(target)!r})"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=source,
        env={**os.environ, "SEQCLF_NATIVE": "0"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]

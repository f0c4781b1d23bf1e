"""Versions appear whole or not at all, whatever happens to the process that writes them."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from published_versions import export, write

from seqclf.errors import ConfigError, ExportError
from seqclf.serving.file_names import STAGING
from seqclf.serving.labels import RECORD, parse_labels
from seqclf.serving.publish import publish, staging
from seqclf.serving.versions import version_folder, versions


def test_versions_count_up_and_none_is_touched_again(tmp_path):
    first = export(tmp_path)
    before = {p: p.stat().st_mtime_ns for p in first.rglob("*")}
    (tmp_path / "7").mkdir()
    (tmp_path / "notes").mkdir()
    second = export(tmp_path)
    assert (first.name, second.name) == ("1", "8")
    assert versions(tmp_path) == [1, 7, 8]
    assert {p: p.stat().st_mtime_ns for p in first.rglob("*")} == before
    assert not list(tmp_path.glob(f"{STAGING}*"))
    assert second.stat().st_mode & 0o777 == 0o755  # another user serves it


def test_what_is_not_published_is_removed(tmp_path):
    with pytest.raises(ZeroDivisionError), staging(tmp_path / "models") as folder:
        write(folder)
        raise ZeroDivisionError
    assert list((tmp_path / "models").iterdir()) == []


def test_zero_padded_twins_and_files_count_as_versions(tmp_path):
    (tmp_path / "0012").mkdir()
    (tmp_path / "30").write_text("a plain file, which the server would try to load")
    assert export(tmp_path).name == "31"


def test_keep(tmp_path):
    for _ in range(3):
        export(tmp_path)
    (tmp_path / "1" / "notes.txt").write_text("goes with it")
    assert export(tmp_path, keep=2).name == "4"
    assert versions(tmp_path) == [3, 4]
    assert not list(tmp_path.glob(f"{STAGING}*"))
    assert export(tmp_path, keep=1).name == "5"
    assert versions(tmp_path) == [5]


def test_keep_leaves_what_is_no_model(tmp_path):
    export(tmp_path)
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / "precious").write_text("mine")
    export(tmp_path, keep=1)
    assert (tmp_path / "0" / "precious").read_text() == "mine" and versions(tmp_path) == [0, 2]


def record(folder, text):
    (folder / RECORD).write_text(text)


def test_keep_leaves_versions_that_have_labels(tmp_path):
    for _ in range(4):
        export(tmp_path)
    record(tmp_path, json.dumps({"/a/models.config": {"stable": 2}, "/b": {"canary": 4, "x": 9}}))
    export(tmp_path, keep=1, labelled=[1])
    assert versions(tmp_path) == [1, 2, 4, 5]
    export(tmp_path, keep=1)  # the label of a flag is not recorded
    assert versions(tmp_path) == [2, 4, 6]


@pytest.mark.parametrize(
    "text", ["", "[]", '{"a": 3}', '{"a": {"stable": "x"}}', '{"a": {"s": []}}']
)
def test_nothing_is_removed_when_labels_are_unknown(tmp_path, text):
    export(tmp_path)
    export(tmp_path)
    record(tmp_path, text)
    with pytest.raises(ExportError, match="labels.json cannot be read.*deploy/labels.py"):
        export(tmp_path, keep=1)
    assert versions(tmp_path) == [1, 2]
    export(tmp_path)  # nothing is to be removed, so nothing has to be known
    assert versions(tmp_path) == [1, 2, 3]


@pytest.mark.parametrize("item", ["stable", "=1", "stable=x", "stable=²", "stable=-1"])
def test_labels_that_are_none(item):
    with pytest.raises(ConfigError, match="NAME=VERSION"):
        parse_labels(["canary=2", item])
    with pytest.raises(ConfigError, match="twice"):
        parse_labels(["a=1", "a=2"])
    assert parse_labels(["a=1", "b=1"]) == {"a": 1, "b": 1}


def test_a_number_is_not_given_twice(tmp_path):
    export(tmp_path)
    second = export(tmp_path)
    (second / "saved_model.pb").unlink()
    (second / "variables" / "data").unlink()
    (second / "variables").rmdir()
    second.rmdir()  # rolled back by hand
    assert export(tmp_path).name == "3"


def test_a_version_taken_in_between_is_not_overwritten(tmp_path, monkeypatch):
    real = os.rename

    def rename(source, target):
        monkeypatch.setattr(os, "rename", real)
        write(Path(target).parent / "1" if not Path(target).mkdir() else None)
        real(source, target)

    monkeypatch.setattr(os, "rename", rename)
    assert export(tmp_path).name == "2"
    assert versions(tmp_path) == [1, 2]


def test_the_newest_model_is_found(tmp_path):
    with pytest.raises(ExportError, match="no exported model there .it has no version.*"):
        version_folder(tmp_path)
    export(tmp_path)
    second = export(tmp_path)
    assert version_folder(tmp_path) == second
    assert version_folder(second) == second
    with pytest.raises(ExportError, match="no exported model there .it is not a folder.*"):
        version_folder(tmp_path / "nowhere")


def test_a_newest_version_without_a_model_is_named(tmp_path):
    export(tmp_path)
    (tmp_path / "9").mkdir()  # the server would try to load it and answer nothing
    with pytest.raises(ExportError, match="9, the newest version in .*, has no saved_model.pb"):
        version_folder(tmp_path)


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "models").write_text("a file")
    with pytest.raises(ExportError, match="models cannot be written"):
        export(tmp_path / "models")


PROGRAM = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from published_versions import export
print("ready", flush=True)
while True:
    export(Path(sys.argv[1]), keep=3)
"""


def test_killed_at_random_moments(tmp_path):
    """Whatever a watching server can see is whole, at every moment and after every kill."""
    rng = random.Random(0)
    seen = set()
    for _ in range(12):
        command = [sys.executable, "-c", PROGRAM, str(tmp_path), str(Path(__file__).parents[1])]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            process.stdout.readline()
            until = time.monotonic() + rng.uniform(0.0, 0.15)
            while time.monotonic() < until:
                for number in versions(tmp_path):
                    files = ("saved_model.pb", "variables/data")
                    sizes = [size_of(tmp_path / str(number) / name) for name in files]
                    # Gone as a whole while it was looked at, or there as a whole.
                    assert sizes == [1000, 1000] or number not in versions(tmp_path)
                    seen.add(number)
            process.send_signal(signal.SIGKILL)
    left = versions(tmp_path)
    assert len(seen) > 5 and left == sorted(left)
    for number in left:
        assert size_of(tmp_path / str(number) / "saved_model.pb") == 1000
        assert size_of(tmp_path / str(number) / "variables/data") == 1000
    last = export(tmp_path, keep=3)
    assert int(last.name) > max(left)  # monotonic
    assert not list(tmp_path.glob(f"{STAGING}*"))  # what the killed ones left is cleared away


def size_of(path):
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def test_an_export_under_way_is_not_taken_for_a_left_over(tmp_path):
    with staging(tmp_path) as mine:
        write(mine)
        export(tmp_path)
        assert (mine / "saved_model.pb").exists()
        assert publish(mine, tmp_path).name == "2"

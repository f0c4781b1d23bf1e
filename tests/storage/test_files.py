"""Files that are whole or as they were before, whatever happens while they are written."""

import os
import subprocess
import sys

import numpy as np
import pytest

from seqclf.errors import RunError, StorageError
from seqclf.storage.files import (
    read_json,
    remove_temporary,
    replacing,
    write_json,
    write_npz,
    write_text,
)


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "deep" / "file.json"
    write_json(path, {"a": 1})
    write_json(path, {"b": [2.5, None]})
    assert read_json(path) == {"b": [2.5, None]}
    assert path.stat().st_mode & 0o777 == 0o644
    assert [entry.name for entry in path.parent.iterdir()] == ["file.json"]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, ValueError])
def test_what_fails_half_way_leaves_the_old_file_and_nothing_else(tmp_path, stop):
    path = tmp_path / "file"
    write_text(path, "old")
    with pytest.raises(stop), replacing(path) as temporary:
        temporary.write_text("half")
        raise stop
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_says_what_to_do(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(28, os.strerror(28))

    write_text(tmp_path / "file", "old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match=r"file could not be written: No space .*Free some"):
        write_text(tmp_path / "file", "new")
    assert (tmp_path / "file").read_text() == "old"


def test_arrays_are_written_without_pickle(tmp_path):
    path = tmp_path / "arrays.npz"
    write_npz(path, {"a": np.arange(3, dtype=np.int16), "b/c": np.array("text")})
    with np.load(path, allow_pickle=False) as archive:
        assert archive["a"].dtype == np.int16 and str(archive["b/c"]) == "text"
    with pytest.raises(ValueError, match="allow_pickle"):
        write_npz(path, {"a": np.array([object()])})
    with np.load(path, allow_pickle=False) as archive:
        assert set(archive.files) == {"a", "b/c"}


def test_a_damaged_json_file_is_named(tmp_path):
    (tmp_path / "report.json").write_text("{")
    with pytest.raises(RunError, match=r"report\.json is damaged"):
        read_json(tmp_path / "report.json")


def test_temporary_files_and_folders_are_removed_at_any_depth(tmp_path):
    for folder in (tmp_path, tmp_path / "deep"):
        (folder / ".tmp-x" / "more").mkdir(parents=True)
        (folder / ".tmp-y").touch()
        (folder / "kept").touch()
    remove_temporary(tmp_path)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["deep", "kept", "kept"]


def test_text_is_utf_8_whatever_the_locale_is(tmp_path):
    program = (
        "import sys, pathlib; from seqclf.storage.files import write_text;"
        "write_text(pathlib.Path(sys.argv[1]), '\\u20ac')"
    )
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    file = tmp_path / "file.txt"
    subprocess.run(
        [sys.executable, "-c", program, str(file)], check=True, env={**os.environ, **locale}
    )
    assert file.read_bytes() == "€".encode()

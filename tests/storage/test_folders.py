"""Folders that may be used, and folders that appear whole or not at all."""

import os
import subprocess
import sys

import pytest

from seqclf.errors import RunError
from seqclf.storage.folders import check_ours_or_free, new_folder, staging_folder

KILLED = """
import os, sys
from pathlib import Path
from seqclf.storage.folders import staging_folder
with staging_folder(Path(sys.argv[1]), "a-") as folder:
    (folder / "half").write_text("half")
    os._exit(9)
"""


def unfinished(folder):
    return sorted(path.name for path in folder.glob(".tmp-*"))


@pytest.mark.parametrize("missing", [True, False])
def test_a_missing_or_empty_folder_is_free(tmp_path, missing):
    folder = tmp_path / "missing" if missing else tmp_path
    assert check_ours_or_free(folder, "config.json", "is no run directory") is False
    assert folder.exists() is not missing, "nothing is made"


def test_a_folder_with_hidden_files_alone_is_free(tmp_path):
    (tmp_path / ".lock").touch()
    assert not check_ours_or_free(tmp_path, "config.json", "is no run directory")


def test_a_folder_with_the_marker_is_ours(tmp_path):
    (tmp_path / "config.json").touch()
    (tmp_path / "other").touch()
    assert check_ours_or_free(tmp_path, "config.json", "is no run directory") is True


def test_a_folder_with_something_else_is_refused(tmp_path):
    (tmp_path / "other").touch()
    said = f"{tmp_path} exists and holds no search (it lacks search.json): it is left as it is."
    with pytest.raises(RunError) as caught:
        check_ours_or_free(tmp_path, "search.json", "holds no search")
    assert str(caught.value) == f"{said} Choose another --workdir."


def test_a_folder_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(RunError, match=r"x{300} cannot be used as --workdir: File name too long"):
        check_ours_or_free(tmp_path / ("x" * 300), "config.json", "is no run directory")


def test_a_new_folder_appears_when_it_is_whole(tmp_path):
    path = tmp_path / "deep" / "new"
    with new_folder(path) as folder:
        assert folder.parent == path.parent and folder.name.startswith(".tmp-new-")
        (folder / "file").write_text("all")
        assert not path.exists()
    assert (path / "file").read_text() == "all"
    assert path.stat().st_mode & 0o777 == 0o755
    assert not unfinished(path.parent)


def test_a_new_folder_that_fails_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt), new_folder(tmp_path / "new") as folder:
        (folder / "file").write_text("half")
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


def test_a_new_folder_never_replaces_another(tmp_path):
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "theirs").touch()
    with pytest.raises(OSError, match="not empty"), new_folder(tmp_path / "new"):
        pass
    assert [path.name for path in tmp_path.rglob("*")] == ["new", "theirs"]


def test_left_overs_of_a_killed_process_are_removed_and_work_in_progress_stays(tmp_path):
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], cwd=os.getcwd())
    assert killed.returncode == 9
    (left_over,) = unfinished(tmp_path)
    with staging_folder(tmp_path, "b-"):
        assert left_over in unfinished(tmp_path), "of another name"
    with staging_folder(tmp_path, "a-") as first, staging_folder(tmp_path, "a-") as second:
        assert unfinished(tmp_path) == sorted([first.name, second.name])
    assert not unfinished(tmp_path)

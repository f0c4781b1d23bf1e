"""`plain_path`: a path in which nothing is special to a pattern."""

import tempfile
from pathlib import Path

import pytest

from seqclf.errors import StorageError
from seqclf.storage.plain_path import SPECIAL, plain_path


@pytest.mark.parametrize("name", ["plain", "é, #%", "~", "a'b\"c $HOME", "new\nline", " x "])
def test_a_path_without_special_characters_is_left_as_it_is(name):
    with plain_path(Path(name)) as path:
        assert path == Path(name)


@pytest.mark.parametrize("name", ["run [1]", "a]", "what?", "a*b", "x{y}", "x}", "c\\d"])
def test_a_link_leads_to_the_folder_and_is_removed(tmp_path, name, monkeypatch):
    folder = tmp_path / name / "1"
    folder.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    for given in (folder, folder.relative_to(tmp_path)):
        with plain_path(given) as path:
            assert not SPECIAL.search(str(path))
            (path / "file").write_text("text")
            assert path.resolve() == folder
        assert not path.parent.exists()
        assert (folder / "file").read_text() == "text"
        (folder / "file").unlink()


def test_special_characters_in_the_temporary_folder(tmp_path, monkeypatch):
    folder = tmp_path / "tmp[1]"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    with plain_path(folder) as path:
        assert path.resolve() == folder and not SPECIAL.search(str(path))


def test_no_link_can_be_made(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    message = r"x\[1\]: TensorFlow reads .* as a pattern.*No such file.*set TMPDIR"
    with pytest.raises(StorageError, match=message), plain_path(tmp_path / "x[1]"):
        pass

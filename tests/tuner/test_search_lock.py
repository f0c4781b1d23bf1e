"""A folder in which a search or a comparison runs keeps a second one out, with one message."""

import os
import socket

import pytest

from seqclf import load_dataset
from seqclf.comparison.trainings import run_comparison
from seqclf.config import resolve
from seqclf.config.search_space import Choice, SearchSpace
from seqclf.errors import RunError, SearchError
from seqclf.storage.locks import locked
from seqclf.tuner import roles
from seqclf.tuner.search import SearchOptions, run_search

CONFIG = {"data": {"source": "digits"}, "model": {"units": [4]}, "steps": 4, "jit_compile": False}
IN_USE = rf"s is in use by process {os.getpid()} on"


@pytest.fixture
def port(monkeypatch):
    """Makes this process the chief of a search, at a free port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv(roles.TUNER_ID, "chief")
    monkeypatch.setenv(roles.ORACLE_IP, "127.0.0.1")
    monkeypatch.setenv(roles.ORACLE_PORT, str(port))
    return port


def search(folder, overwrite=False, max_trials=1):
    space = SearchSpace(CONFIG, {"batch_size": Choice(32, 64)})
    return run_search(space, SearchOptions("random", max_trials=max_trials), folder, overwrite)


def contents(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_second_search_is_refused(tmp_path, overwrite):
    folder = tmp_path / "s"
    search(folder)
    with locked(folder):
        before = contents(folder)
        with pytest.raises(RunError, match=IN_USE):
            search(folder, overwrite)
        assert contents(folder) == before
    assert len(search(folder)) == 1  # the lock is free again


def test_two_workers_do_not_train_one_trial(tmp_path):
    """Two workers that were given the same ID would do so."""
    folder = tmp_path / "s"
    search(folder)
    in_use = rf"trials/002 is in use by process {os.getpid()} on"
    with locked(folder / "trials/002"), pytest.raises(RunError, match=in_use):
        search(folder, max_trials=2)
    assert len(search(folder, max_trials=2)) == 2


@pytest.mark.parametrize("same_port", [False, True])
def test_a_second_chief_is_refused(tmp_path, port, same_port):
    """The message is about the search, even where the first chief has the port."""
    with locked(tmp_path / "s"), socket.socket() as first:
        if same_port:
            first.bind(("127.0.0.1", port))
            first.listen()
        with pytest.raises(RunError, match=IN_USE):
            search(tmp_path / "s")


def test_a_port_in_use_leaves_no_folder(tmp_path, port):
    with (
        socket.create_server(("127.0.0.1", port)),
        pytest.raises(SearchError, match=f"The chief cannot listen at 127.0.0.1:{port}"),
    ):
        search(tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_a_second_comparison_is_refused(tmp_path):
    digits = load_dataset("digits")
    with locked(tmp_path / "s"), pytest.raises(RunError, match=IN_USE):
        run_comparison(resolve(CONFIG), digits, tmp_path / "s", ["gru"], seeds=1)
    assert [path.name for path in (tmp_path / "s").iterdir()] == [".lock"]

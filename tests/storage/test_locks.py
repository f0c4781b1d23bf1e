"""Two processes in one folder: the second is refused, and a crash releases the lock."""

import errno
import fcntl
import os
import signal
import subprocess
import sys

import pytest

from seqclf.config import resolve
from seqclf.errors import RunError
from seqclf.experiment.run import run_experiment
from seqclf.storage.folders import new_folder
from seqclf.storage.locks import locked

HOLD = """
import sys, time
from pathlib import Path
from seqclf.storage.locks import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    folder = tmp_path / "run"
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield folder, process
    process.kill()
    process.communicate()


def test_the_second_is_refused_and_told_who_is_there(holder):
    folder, process = holder
    said = rf"is in use by process {process.pid} on .*choose another --workdir"
    with pytest.raises(RunError, match=said), locked(folder):
        pass
    before = sorted(folder.iterdir())
    with pytest.raises(RunError, match=said):
        run_experiment(resolve({"data": {"source": "digits"}}), folder)
    assert sorted(folder.iterdir()) == before


def test_a_crash_releases_it(holder):
    folder, process = holder
    process.send_signal(signal.SIGKILL)
    process.wait()
    with locked(folder):
        pass


def test_the_end_releases_it(tmp_path):
    for _ in range(2):
        holder = rf"process {os.getpid()} on"
        with locked(tmp_path), pytest.raises(RunError, match=holder), locked(tmp_path):
            pass


def test_a_search_is_refused_as_well(holder):
    from seqclf.config.search_space import Range, SearchSpace
    from seqclf.tuner.search import SearchOptions, run_search

    folder, process = holder
    config = resolve({"data": {"source": "digits"}, "steps": 5})
    space = SearchSpace(config, {"optimizer.learning_rate": Range(0.001, 0.01)})
    with pytest.raises(RunError, match=f"is in use by process {process.pid} "):
        run_search(space, SearchOptions(tuner="random", max_trials=1), folder)


@pytest.fixture(params=["ENOSYS", "ENOLCK", "EOPNOTSUPP"])
def no_locks(request, monkeypatch):
    """A file system that has no flock, as Lustre, NFS and FUSE can be."""

    def flock(descriptor, operation):
        number = getattr(errno, request.param)
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)


def test_without_locks_a_warning_names_the_folder_once(no_locks, tmp_path, capsys):
    folder = tmp_path / "run"
    with locked(folder):
        (folder / "file").touch()
    said = capsys.readouterr().err
    assert said.startswith(f"warning: {folder} is on a file system without file locks")
    assert "Start one at a time" in said and said.count("\n") == 1


def test_without_locks_unfinished_work_is_kept_and_named(no_locks, tmp_path, capsys):
    (tmp_path / ".tmp-new-1").mkdir()
    with new_folder(tmp_path / "new") as folder:
        (folder / "file").touch()
    said = capsys.readouterr().err
    assert said.startswith(f"warning: {tmp_path}/.tmp-new-1 is the unfinished work of")
    assert (tmp_path / ".tmp-new-1").is_dir() and (tmp_path / "new" / "file").exists()


@pytest.mark.parametrize("no_locks", ["ENOLCK"], indirect=True)
def test_without_locks_a_training_and_its_export_go_on(no_locks, tmp_path, capsys):
    config = resolve({"data": {"source": "digits"}, "model": {"units": [4]}, "steps": 2})
    run_experiment(config, tmp_path / "run")
    assert (tmp_path / "run" / "export" / "1" / "saved_model.pb").is_file()
    assert capsys.readouterr().err.count("without file locks") == 1


def test_other_failures_of_a_lock_are_not_passed_over(monkeypatch, tmp_path):
    def flock(descriptor, operation):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(OSError, match="Input/output error"), locked(tmp_path):
        pass

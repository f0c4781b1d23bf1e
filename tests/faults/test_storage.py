"""Disks that are full, read-only or somebody else's: one message, nothing lost, and on it goes."""

import os
import subprocess

import numpy as np
import pytest

from seqclf.config import resolve
from seqclf.errors import RunError, SeqclfError, StorageError
from seqclf.experiment.run import run_experiment
from seqclf.models.loading import load_classifier
from seqclf.storage.run_directory import Run
from seqclf.training.checkpoints import restore_latest, save_latest

pytestmark = pytest.mark.faults

CONFIG = {
    "data": {"source": "digits"},
    "model": {"units": [16]},
    "batch_size": 64,
    "steps": 30,
    "validate_every": 10,
    "checkpoint_every": 5,
    "jit_compile": False,
}


@pytest.fixture
def disk(tmp_path):
    """A file system of its own: `disk(kib)` makes it so large, and gives its folder."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def sized(kib, *options):
        size = ",".join([f"size={kib}k", *options])
        action = ["-o", f"remount,{size}"] if os.path.ismount(folder) else ["-o", size]
        command = ["mount", "-t", "tmpfs", *action, "tmpfs", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"mounting a small file system takes rights: {done.stderr.strip()}")
        return folder

    yield sized
    if os.path.ismount(folder):
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    run = Run(tmp_path_factory.mktemp("unbroken") / "run")
    run_experiment(resolve(CONFIG), run.path, export=False)
    return load_classifier(run.model).get_weights()


@pytest.mark.parametrize("kib", [8, 40, 64, 96, 160, 240])
def test_a_full_disk(disk, unbroken, kib):
    """However far it comes: with more room the same call ends as if nothing had been."""
    run = Run(disk(kib) / "run")
    config = resolve(CONFIG)
    with pytest.raises(SeqclfError, match="(?i)no space left on device"):
        run_experiment(config, run.path, export=False)
    assert not list(run.path.glob("**/.tmp-*")), "half-written files stay behind"
    disk(50_000)
    run_experiment(config, run.path, export=False)
    for ours, theirs in zip(load_classifier(run.model).get_weights(), unbroken, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_full_disk_keeps_the_checkpoint_before(disk):
    run = Run(disk(64) / "run")
    small, large = [np.zeros(10, np.float32)], [np.zeros(100_000, np.float32)]
    save_latest(run, {"model": [Named(small[0])]}, {"step": 1})
    with pytest.raises(StorageError, match="step-000000002.npz could not be written: No space"):
        save_latest(run, {"model": [Named(large[0])]}, {"step": 2})
    assert restore_latest(run, {"model": [Named(small[0])]}) == {"step": 1}


class Named(np.ndarray):
    """An array with what a checkpoint asks of a variable."""

    def __new__(cls, values):
        array = np.asarray(values).view(cls)
        array.name = "kernel"
        return array

    def assign(self, values):
        self[...] = values


def test_a_full_disk_at_export(disk, unbroken):
    run = Run(disk(300) / "run")
    with pytest.raises(SeqclfError, match="(?i)no space left on device"):
        run_experiment(resolve(CONFIG), run.path)
    assert not [path for path in run.export.glob("*") if path.name.isdigit()]
    disk(50_000)
    run_experiment(resolve(CONFIG), run.path)
    assert (run.export / "1" / "saved_model.pb").is_file()


def test_a_read_only_disk(disk):
    folder = disk(50_000, "ro")
    with pytest.raises(RunError, match="cannot be used as --workdir: Read-only file system"):
        run_experiment(resolve(CONFIG), folder / "run")


def test_a_disk_that_becomes_read_only(disk, unbroken):
    run = Run(disk(50_000) / "run")
    run_experiment(resolve(CONFIG), run.path, export=False)
    run.report.unlink()  # not finished any more
    disk(50_000, "ro")
    with pytest.raises(SeqclfError, match="Read-only file system"):
        run_experiment(resolve(CONFIG), run.path, export=False)
    disk(50_000, "rw")
    run_experiment(resolve(CONFIG), run.path, export=False)
    for ours, theirs in zip(load_classifier(run.model).get_weights(), unbroken, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_somebody_elses_folder(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    folder = tmp_path / "theirs"
    folder.mkdir()
    os.seteuid(65534)
    try:
        with pytest.raises(RunError, match="cannot be used as --workdir: Permission denied"):
            run_experiment(resolve(CONFIG), folder / "run")
    finally:
        os.seteuid(0)

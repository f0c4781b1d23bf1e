"""Checkpoints that a disk or a copy has damaged: the one before is used, and it is said."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqclf.errors import RunError
from seqclf.storage.run_directory import Run
from seqclf.training.checkpoints import (
    drop_others,
    restore,
    restore_best,
    restore_latest,
    save,
    save_best,
    save_latest,
)


class Variable:
    """As much of a Keras variable as a checkpoint asks of it."""

    def __init__(self, name, value):
        self.name, self.value, self.shape = name, value, value.shape

    def __array__(self, dtype=None, copy=None):
        return self.value

    def assign(self, value):
        self.value = value


def variables(seed):
    rng = np.random.default_rng(seed)
    kernel = rng.normal(size=(6, 5)).astype("float32")
    return {
        "model": [Variable("kernel", kernel)],
        "optimizer": [Variable("iterations", np.array(seed))],
    }


@pytest.fixture(scope="module")
def intact(tmp_path_factory):
    path = tmp_path_factory.mktemp("intact") / "step-000000007.npz"
    save(path, variables(7), {"step": 7})
    return path.read_bytes()


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_flipped_bit_is_noticed_or_does_no_harm(intact, tmp_path_factory, data):
    bit = data.draw(st.integers(0, 8 * len(intact) - 1))
    content = bytearray(intact)
    content[bit // 8] ^= 1 << bit % 8
    check_noticed_or_harmless(tmp_path_factory, bytes(content))


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_truncated_file_is_noticed(intact, tmp_path_factory, data):
    content = intact[: data.draw(st.integers(0, len(intact) - 1))]
    path = tmp_path_factory.getbasetemp() / "cut.npz"
    path.write_bytes(content)
    with pytest.raises(RunError, match=r"cut\.npz (is damaged|holds other variables)"):
        restore(path, variables(0))


def test_a_damaged_file_is_not_left_open(intact, tmp_path):
    path = tmp_path / "cut.npz"
    path.write_bytes(intact[:-30])
    with pytest.raises(RunError, match="is damaged") as error:
        restore(path, variables(0))
    # `error` holds what the failed call had at hand, so that nothing is closed by the way.
    assert error.value.__cause__ is not None
    held = [os.path.realpath(link) for link in Path("/proc/self/fd").iterdir()]
    assert os.path.realpath(path) not in held


def check_noticed_or_harmless(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "flipped.npz"
    path.write_bytes(content)
    found, right = variables(0), variables(7)
    try:
        state = restore(path, found)
    except RunError as error:
        assert "flipped.npz" in str(error)
        for group, members in variables(0).items():  # nothing was assigned
            for before, after in zip(members, found[group], strict=True):
                np.testing.assert_array_equal(before.value, after.value)
        return
    assert state == {"step": 7}
    for group, members in right.items():
        for one, other in zip(members, found[group], strict=True):
            np.testing.assert_array_equal(one.value, other.value)


@pytest.mark.parametrize("damage", ["truncated", "flipped", "emptied"])
def test_the_one_before_is_used_and_it_is_said(tmp_path, capsys, damage):
    run = Run(tmp_path)
    for step in (1, 2, 3):
        save_latest(run, variables(step), {"step": step})
    newest = run.checkpoints / "step-000000003.npz"
    content = bytearray(newest.read_bytes())
    if damage == "flipped":
        content[content.index(np.asarray(variables(3)["model"][0]).tobytes())] ^= 0x10
    newest.write_bytes({"truncated": content[:-100], "emptied": b""}.get(damage, content))
    found = variables(0)
    assert restore_latest(run, found) == {"step": 2}
    assert found["optimizer"][0].value == 2
    said = capsys.readouterr().out
    assert "step-000000003.npz is damaged" in said and "trying the one before" in said


def test_all_damaged_is_an_error_and_no_new_beginning(tmp_path):
    run = Run(tmp_path)
    save_latest(run, variables(1), {"step": 1})
    (run.checkpoints / "step-000000001.npz").write_bytes(b"junk")
    with pytest.raises(RunError, match="No checkpoint in .* can be read"):
        restore_latest(run, variables(0))


def test_the_state_is_json(intact, tmp_path):
    path = tmp_path / "c.npz"
    path.write_bytes(intact)
    with np.load(path, allow_pickle=False) as archive:
        assert json.loads(str(archive["state"])) == {"step": 7}


def test_the_best_is_taken_from_a_checkpoint_of_its_step_if_it_is_damaged(tmp_path, capsys):
    run = Run(tmp_path)
    save_best(run, variables(5), 5)
    save_latest(run, variables(5), {"step": 5})
    best = run.checkpoints / "best-000000005.npz"
    best.write_bytes(best.read_bytes()[:-50])
    found = {"model": variables(0)["model"]}
    restore_best(run, found, 5)
    np.testing.assert_array_equal(found["model"][0].value, variables(5)["model"][0].value)
    assert "best-000000005.npz is damaged" in capsys.readouterr().out
    (run.checkpoints / "step-000000005.npz").unlink()
    with pytest.raises(RunError, match="best-000000005.npz is damaged.*best validation, of step 5"):
        restore_best(run, found, 5)


def test_another_steps_best_is_not_taken(tmp_path):
    """As when a process was killed between the new best and the checkpoint that knows of it."""
    run = Run(tmp_path)
    save_best(run, variables(5), 5)
    save_best(run, variables(8), 8)
    found = {"model": variables(0)["model"]}
    restore_best(run, found, 5)
    np.testing.assert_array_equal(found["model"][0].value, variables(5)["model"][0].value)
    drop_others(run, 5)
    assert [path.name for path in run.checkpoints.iterdir()] == ["best-000000005.npz"]

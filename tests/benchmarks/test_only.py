"""Which of the things that a benchmark can run `--only` asks for."""

import pytest

from benchmarks.only import chosen
from benchmarks.records.tasks import TASKS
from seqclf.errors import ConfigError

NAMES = ["flip alone", "mean", "flip alone, mean", "mean, dropout 0.2"]


def test_nothing_asks_for_all():
    assert chosen(NAMES, []) == NAMES


def test_a_whole_name_stands_for_itself_alone():
    assert chosen(NAMES, ["mean"]) == ["mean"]
    assert chosen(NAMES, ["flip alone, mean"]) == ["flip alone, mean"]


def test_a_part_stands_for_every_name_that_has_it_in_their_order():
    assert chosen(NAMES, ["dropout", "flip"]) == [NAMES[0], *NAMES[2:]]


def test_every_part_must_be_in_a_name():
    with pytest.raises(ConfigError, match="one of flip alone; mean; .* Received: 'drop out'"):
        chosen(NAMES, ["mean", "drop out"])


@pytest.mark.parametrize("task", TASKS.values(), ids=lambda task: task.name)
def test_each_change_of_a_record_can_be_asked_for_alone(task):
    assert all(chosen(task.changes, [name]) == [name] for name in task.changes)

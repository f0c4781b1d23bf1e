"""Batches of sequences: nothing is lost, and memory has a bound."""

import numpy as np

from seqclf.serving.model_input import ModelInput
from seqclf.serving.predicting.batches import MOST_TIME_STEPS, InputSequence, batches
from seqclf.serving.predicting.repeated_ids import RepeatedIds

VARYING = ModelInput("float32", (None, 2), True, False)
FIXED = ModelInput("float32", (4, 2), False, False)


def sequences(*lengths):
    rng = np.random.default_rng(0)
    return [
        InputSequence(f"s{i}", rng.normal(size=(n, 2)).astype("float32"), "a" if i % 2 else None)
        for i, n in enumerate(lengths)
    ]


def test_each_batch_is_padded_to_its_longest():
    given = sequences(3, 1, 5, 2, 2)
    got = list(batches(given, VARYING, 2))
    assert [batch.inputs["inputs"].shape for batch in got] == [(2, 3, 2), (2, 5, 2), (1, 2, 2)]
    back = [
        x[:length]
        for batch in got
        for x, length in zip(batch.inputs["inputs"], batch.inputs["lengths"], strict=True)
    ]
    for sequence, x in zip(given, back, strict=True):
        np.testing.assert_array_equal(sequence.x, x)
    for batch in got:
        for x, length in zip(batch.inputs["inputs"], batch.inputs["lengths"], strict=True):
            assert not x[length:].any()
    assert [i for batch in got for i in batch.ids] == [each.id for each in given]
    assert [i for batch in got for i in batch.labels] == [each.label for each in given]


def test_a_long_sequence_makes_its_batch_small():
    given = sequences(10, 10, MOST_TIME_STEPS // 2, 10, 10, MOST_TIME_STEPS + 1, 10)
    got = list(batches(given, VARYING, 256))
    assert [len(batch.ids) for batch in got] == [2, 2, 1, 1, 1]
    assert sum(batch.inputs["lengths"].sum() for batch in got) == sum(len(s.x) for s in given)


def test_a_model_of_one_length_gets_no_lengths():
    (batch,) = batches(sequences(4, 4, 4), FIXED, 8)
    assert set(batch.inputs) == {"inputs"} and batch.inputs["inputs"].shape == (3, 4, 2)
    assert list(batches([], FIXED, 8)) == []


def test_repeated_ids_are_counted():
    ids = RepeatedIds()
    assert ids.warning() == ""
    ids.add(str(i) for i in range(1000))
    assert ids.warning() == ""
    ids.add(["7", "7", "9"])
    assert ids.warning().startswith("2 of 1,000 ids occur more than once")

"""Warnings about a file as a whole, which are known after its last batch."""

import numpy as np
from example_specs import VARYING

from seqclf.serving.model_input import ModelInput
from seqclf.serving.predicting.batches import InputSequence
from seqclf.serving.predicting.input_file import SequenceFile


def test_sequences_much_longer_than_those_of_the_training_are_counted_over_all_batches():
    model = ModelInput("float32", (None, 5), True, False, VARYING)  # the longest one has 6
    lengths = [3, 13, 12, 14]
    sequences = [InputSequence(f"s{n}", np.ones((n, 5), np.float32), None) for n in lengths]
    file = SequenceFile("new.csv", model, sequences)
    assert len(list(file.batches(2))) == 2
    (warning,) = file.warnings()
    assert warning.startswith("new.csv: 2 of 4 sequences are more than twice as long")
    assert "up to 14 time steps, and that had 6." in warning
    shorter = SequenceFile("new.csv", model, sequences[:1])
    list(shorter.batches(2))
    assert shorter.warnings() == []

"""`prepare`: turns what a user gives to `Client.predict` into the arrays of a request."""

import dataclasses
from typing import Any

import numpy as np

from seqclf.client.base import Prepared
from seqclf.client.sequences import LENGTHS, SEQUENCES, named_inputs, takes_lengths
from seqclf.client.tensors import Signature, as_inputs
from seqclf.data.tables.frames import is_frame
from seqclf.errors import DataError
from seqclf.serving.client.tensors import NumpyArrays
from seqclf.serving.input_warnings import input_warnings
from seqclf.serving.model_facts import ModelFacts
from seqclf.serving.padding import pad_sequences

NOT_READ = ("label", "group", "split")  # columns that a prediction does not need


def prepare(inputs: Any, signature: Signature, facts: ModelFacts) -> Prepared[np.ndarray]:
    """Returns the arrays of a request to a signature.

    Args:
        inputs: arrays by name, one array, a list of sequences, or a data frame; see
            `Client.predict`.
        signature: the signature.
        facts: facts about the training data of the model.

    Raises:
        ValueError: the inputs do not fit the signature.
    """
    ids: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    if is_frame(inputs):
        inputs, ids, notes = _inputs_from_frame(inputs, signature, facts)
    kind = NumpyArrays()
    arrays = as_inputs(named_inputs(inputs, signature, kind), signature, kind)
    found = input_warnings(arrays, facts.input_range, facts.spec).values()
    return Prepared(arrays, (*notes, *found), ids)


def _inputs_from_frame(
    frame: Any, signature: Signature, facts: ModelFacts
) -> tuple[dict[str, np.ndarray], np.ndarray, tuple[str, ...]]:
    """Returns inputs, the ids of the sequences, and notes about the columns."""
    from seqclf.data.tables.stream import open_table  # it imports pyarrow

    layout = facts.spec.table if facts.spec else None
    if layout is None:
        raise ValueError(
            "a data frame is read by the columns of the training table, which are not known: give "
            "`connect` the `manifest` of a model that was trained on a table"
        )
    columns = getattr(frame, "column_names", None) or list(frame.columns)
    absent: dict[str, Any] = {r: "" for r in NOT_READ if getattr(layout, r) not in columns}
    layout = dataclasses.replace(layout, **absent)
    try:
        per_step = facts.spec is not None and facts.spec.per_step
        stream = open_table(frame, layout, labelled=False, per_step=per_step)
        sequences = list(stream)
    except DataError as error:
        raise ValueError(str(error)) from error
    if not sequences:
        reasons = "".join(f"; {note}" for note in stream.notes_so_far)
        raise ValueError(f"there must be at least one sequence. Received: none{reasons}")
    x, lengths = pad_sequences([each.x for each in sequences])
    inputs = {SEQUENCES: x} | ({LENGTHS: lengths} if takes_lengths(signature) else {})
    if not takes_lengths(signature) and len(set(lengths.tolist())) > 1:
        raise ValueError(
            "this model takes sequences of one length. Received: sequences of "
            f"{lengths.min()} to {lengths.max()} time steps"
        )
    return inputs, np.array([each.id for each in sequences], object), stream.notes_so_far

"""Sequences without `lengths` in the JSON of a `:predict` request, which only this server takes.

TensorFlow Serving refuses such a request: it wants every input of a signature.
"""

from typing import Any

import numpy as np

from seqclf.serving.padding import pad_sequences
from seqclf.serving.server.fault import Fault, invalid
from seqclf.serving.server.json_arrays import array_from_json
from seqclf.serving.server.json_request import JsonRequest
from seqclf.serving.server.tensors import TensorMap


def sequences_without_lengths(request: JsonRequest) -> list[Any] | None:
    """Returns the sequences of a request that has `inputs` alone; None if it has other inputs.

    Args:
        request: a request to a signature with the inputs `inputs` and `lengths`.
    """
    content = request.content
    if not request.is_rows:
        if isinstance(content, dict) and content.keys() == {"inputs"}:
            content = content["inputs"]
        return content if isinstance(content, list) and content else None
    if all(isinstance(row, list) for row in content):
        return list(content)
    if all(isinstance(row, dict) and row.keys() == {"inputs"} for row in content):
        return [row["inputs"] for row in content]
    return None


def tensors_from_sequences(sequences: list[Any], dtype: str) -> TensorMap:
    """Converts sequences to `inputs`, padded to the longest one, and `lengths`.

    Args:
        sequences: the JSON of each sequence, one at least; they may differ in their time steps.
        dtype: dtype of `inputs`.

    Raises:
        Fault: a sequence cannot be converted, or differs in its features.
    """
    arrays: list[np.ndarray] = []
    for i, sequence in enumerate(sequences):
        try:
            arrays.append(array_from_json(sequence, dtype, "inputs"))
        except Fault as fault:
            raise Fault(fault.code, f"sequence {i} of the request: {fault.message}") from fault
    try:
        x, lengths = pad_sequences(arrays)
    except ValueError as error:
        raise invalid(f"input 'inputs': {error}") from error
    return {"inputs": x, "lengths": lengths}

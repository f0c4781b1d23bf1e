"""The JSON of a `:predict` request, converted to tensors (its rules: util/json_tensor.cc).

A request names a signature and gives either `instances`, a list of examples that is answered by
`predictions`, or `inputs`, whole tensors that are answered by `outputs`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqclf.serving.server.fault import Fault, invalid
from seqclf.serving.server.json_arrays import array_from_json
from seqclf.serving.server.json_base64 import is_base64_object
from seqclf.serving.server.json_document import quoted_json
from seqclf.serving.server.tensors import TensorMap

MAX_SEARCHED = 64  # elements that are looked at for the one that a message names


@dataclass(frozen=True)
class JsonRequest:
    """A `:predict` request whose tensors are not converted yet.

    Attributes:
        signature: name of the signature; "" is the default one.
        is_rows: whether the request has `instances` (rows) or `inputs` (columns).
        content: the value of `instances` or `inputs`.
    """

    signature: str
    is_rows: bool
    content: Any


def signature_name(document: Mapping[str, Any]) -> str:
    """Returns the name of the signature in a request, "" if there is none.

    Raises:
        Fault: the name is not a string.
    """
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise invalid(
            f"JSON Value: {quoted_json(name)} not formatted correctly. 'signature_name' key must "
            "be a string value."
        )
    return name


def parse_predict_request(document: Mapping[str, Any]) -> JsonRequest:
    """Reads the body of a `:predict` request.

    Raises:
        Fault: it has neither `instances` nor `inputs`, or both, or no examples in `instances`.
    """
    signature = signature_name(document)
    if "instances" in document and "inputs" in document:
        raise invalid(
            "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist"
        )
    if "inputs" in document:
        return JsonRequest(signature, False, document["inputs"])
    if "instances" not in document:
        raise invalid("Missing 'inputs' or 'instances' key")
    instances = document["instances"]
    if not isinstance(instances, list):
        raise invalid("Expecting 'instances' to be an list/array")
    if not instances:
        raise invalid("No values in 'instances' array")
    return JsonRequest(signature, True, instances)


def tensors_from_request(request: JsonRequest, dtypes: Mapping[str, str]) -> TensorMap:
    """Converts the content of a request to tensors.

    Args:
        request: the result of `parse_predict_request`.
        dtypes: dtype of each of the signature's inputs, one at least, by name: NumPy's name, or
            `string`.

    Returns:
        An array for each input.

    Raises:
        Fault: a value has the wrong type, lists are ragged, or names are unknown or missing.
    """
    convert = _tensors_from_rows if request.is_rows else _tensors_from_columns
    return convert(request.content, dtypes)


def _tensors_from_rows(instances: list[Any], dtypes: Mapping[str, str]) -> TensorMap:
    are_named = _has_names(instances[0])
    if not are_named and len(dtypes) > 1:
        raise invalid(
            "instances is a plain list, but expecting list of objects as multiple input tensors "
            f"required: {', '.join(sorted(dtypes))}"
        )
    columns: dict[str, list[Any]] = {name: [] for name in dtypes}
    only_name = next(iter(dtypes))
    for i, instance in enumerate(instances):
        if _has_names(instance) != are_named:
            expected, got = ("object", "list") if are_named else ("value/list", "object")
            raise invalid(f"Expecting {expected} but got {got} at item {i} of input list")
        if not are_named:
            columns[only_name].append(instance)
            continue
        if instance.keys() != dtypes.keys():
            raise invalid(
                f"Failed to process element: {i} of 'instances' list. JSON object keys must be "
                f"equal to: {','.join(sorted(dtypes))}. Received: {','.join(sorted(instance))}"
            )
        for name, value in instance.items():
            columns[name].append(value)
    return {
        name: _array_from_rows(values, dtypes[name], name, are_named)
        for name, values in columns.items()
    }


def _array_from_rows(values: list[Any], dtype: str, name: str, is_named: bool) -> np.ndarray:
    """Converts the values of one input, one of each element of `instances`.

    Raises:
        Fault: INVALID_ARGUMENT whatever the reason, with the number of the element.
    """
    try:
        return array_from_json(values, dtype, name)
    except Fault as fault:
        failing = (i for i, value in enumerate(values[:MAX_SEARCHED]) if _fails(value, dtype))
        element = next(failing, None)
        where = "an element" if element is None else f"element: {element}"
        key = f" key: {name}" if is_named else ""
        raise invalid(
            f"Failed to process {where}{key} of 'instances' list. "
            f"Error: {fault.code}: {fault.message}"
        ) from fault


def _fails(value: Any, dtype: str) -> bool:
    try:
        array_from_json(value, dtype, "")
    except Fault:
        return True
    return False


def _tensors_from_columns(inputs: Any, dtypes: Mapping[str, str]) -> TensorMap:
    if not _has_names(inputs):
        if len(dtypes) > 1:
            raise invalid(
                "inputs is a plain value/list, but expecting an object as multiple input tensors "
                f"required: {', '.join(sorted(dtypes))}"
            )
        inputs = {next(iter(dtypes)): inputs}
    for name in dtypes:
        if name not in inputs:
            raise invalid(f"Missing named input: {name} in 'inputs' object.")
    return {name: array_from_json(inputs[name], dtype, name) for name, dtype in dtypes.items()}


def _has_names(value: Any) -> bool:
    """Returns whether a JSON value is an object of inputs by name."""
    return isinstance(value, dict) and not is_base64_object(value)

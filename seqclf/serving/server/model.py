"""`ServedModel`: one loaded version of a model, which runs signatures on arrays."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from seqclf.serving.model_facts import ModelFacts, read_entries
from seqclf.serving.server.batching_rules import read_batching_rules
from seqclf.serving.server.fault import Fault, fault_from_error, invalid
from seqclf.serving.server.tensors import TensorMap
from seqclf.storage.plain_path import plain_path

DEFAULT_SIGNATURE = "serving_default"
CLASSIFY_OUTPUTS = {"classes", "scores"}
MAX_CLASSIFY_OUTPUTS = 2


class ServedModel:
    """One version of a model: any SavedModel with the tag `serve`.

    Args:
        path: folder of the version; its name is the version's number.

    Attributes:
        path: the folder.
        version: the number.
        definitions: name → SignatureDef of all signatures in the file.
        signatures: name → SignatureDef of those that can be called.
        batching: how requests may share a batch; None if the version does not say it.
        facts: the entries of the version's manifest that clients get with the metadata.
        spec, input_range: the spec of the training data and the range of its values; None if the
            version does not say them.

    Raises:
        Exception: TensorFlow cannot load the version; the type is TensorFlow's choice.
    """

    def __init__(self, path: Path):
        self.path = path
        self.version = int(path.name)
        saved = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
        graphs = [g for g in saved.meta_graphs if set(g.meta_info_def.tags) == {"serve"}]
        if not graphs:
            raise ValueError(f"{path} has no graph with the tag `serve`.")
        self.definitions = dict(graphs[0].signature_def.items())
        self.signatures = {k: v for k, v in self.definitions.items() if not k.startswith("__")}
        self.batching = read_batching_rules(path)
        self.facts = read_entries(path)
        facts = ModelFacts.from_json(self.facts)
        self.spec, self.input_range = facts.spec, facts.input_range
        with plain_path(path) as plain:
            self._loaded = tf.saved_model.load(str(plain), tags=["serve"])  # keeps variables alive

    def input_dtypes(self, signature: str) -> dict[str, str]:
        """Returns the dtype of each input of a signature ("" is the default one)."""
        name = signature or DEFAULT_SIGNATURE
        if name not in self.signatures:
            raise invalid(f'Serving signature name: "{name}" not found in signature def')
        infos = self.signatures[name].inputs
        return {key: tf.dtypes.as_dtype(info.dtype).name for key, info in infos.items()}

    def tensor_name(self, signature: str, input_name: str) -> str:
        """Returns the name that an input of a signature has in the graph."""
        return str(self.signatures[signature].inputs[input_name].name)

    def has_free_shapes(self) -> bool:
        """Returns whether examples of different shapes fit an input of some signature."""
        shapes = [
            info.tensor_shape
            for definition in self.signatures.values()
            for info in definition.inputs.values()
        ]
        return any(s.unknown_rank or any(d.size < 0 for d in s.dim[1:]) for s in shapes)

    def takes_lengths(self, signature: str) -> bool:
        """Returns whether a signature ("" is the default one) takes sequences with `lengths`.

        Requests to it may leave the lengths out, which TensorFlow Serving does not allow.
        """
        definition = self.signatures.get(signature or DEFAULT_SIGNATURE)
        if definition is None or definition.inputs.keys() != {"inputs", "lengths"}:
            return False
        shape = definition.inputs["inputs"].tensor_shape
        free = not shape.unknown_rank and len(shape.dim) > 1 and shape.dim[1].size < 0
        return free and definition.inputs["lengths"].dtype == tf.int32.as_datatype_enum

    def with_lengths(self, signature: str, inputs: TensorMap) -> TensorMap:
        """Returns inputs with `lengths`: where they are left out, all time steps are valid."""
        x = inputs.get("inputs")
        if len(inputs) != 1 or x is None or x.ndim < 2 or not self.takes_lengths(signature):
            return inputs
        return inputs | {"lengths": np.full(len(x), x.shape[1], np.int32)}

    def check_input_names(
        self, signature: str, inputs: Mapping[str, Any], without_lengths: bool = False
    ) -> None:
        """Checks the names of inputs against a signature ("" is the default one).

        Args:
            signature: name of the signature.
            inputs: the inputs by name.
            without_lengths: whether `lengths` may be left out, where `takes_lengths`.

        Raises:
            Fault: INVALID_ARGUMENT if inputs are missing or not known; FAILED_PRECONDITION if the
                signature is not known.
        """
        name = signature or DEFAULT_SIGNATURE
        if name not in self.signatures:
            raise Fault("FAILED_PRECONDITION", f'Serving signature key "{name}" not found.')
        wanted = set(self.signatures[name].inputs)
        if without_lengths and inputs.keys() == {"inputs"} and self.takes_lengths(name):
            wanted = {"inputs"}
        if inputs.keys() != wanted:
            extra, missing = sorted(inputs.keys() - wanted), sorted(wanted - inputs.keys())
            raise invalid(
                f"inputs do not match signature: {len(inputs)} of {len(wanted)}. Sent extra: "
                f"{{{','.join(extra)}}}. Missing but required: {{{','.join(missing)}}}."
            )

    def check_inputs(self, signature: str, inputs: Mapping[str, np.ndarray]) -> int:
        """Checks the names, dtypes and shapes of inputs against a signature.

        Returns:
            The number of examples.

        Raises:
            Fault: a name, a dtype or a shape differs, or the inputs differ in their number of
                examples.
        """
        self.check_input_names(signature, inputs)
        for name, array in inputs.items():
            _check_tensor(name, array, self.signatures[signature].inputs[name])
        sizes = {array.shape[:1] for array in inputs.values()}
        if len(sizes) != 1 or () in sizes:
            raise invalid(f"Input Tensors must have equal 0th-dimension size. Received: {sizes}")
        (size,) = sizes.pop()
        return int(size)

    def run(self, signature: str, inputs: Mapping[str, np.ndarray]) -> TensorMap:
        """Runs a signature on inputs that `check_inputs` has accepted.

        Raises:
            Fault: an operation of the graph refuses the inputs, or fails.
        """
        tensors = {
            name: tf.constant(array.tolist() if array.dtype == object else array)
            if array.size
            else tf.zeros(array.shape, self.signatures[signature].inputs[name].dtype)
            for name, array in inputs.items()
        }
        try:
            outputs = self._loaded.signatures[signature](**tensors)
            return {name: value.numpy() for name, value in outputs.items()}
        except Exception as error:
            raise fault_from_error(error) from error

    def classification_inputs(self, signature: str, strings: np.ndarray) -> TensorMap:
        """Returns the inputs of a classification, after a check of its signature.

        Args:
            signature: name of the signature; "" is the default one.
            strings: serialized `tf.Example` messages, object array `[B]`.

        Raises:
            Fault: the signature is not known or does not classify `tf.Example` messages, or there
                is no example.
        """
        name = signature or DEFAULT_SIGNATURE
        if name not in self.signatures:
            raise invalid(f"No signature was found with the name: {name}")
        definition = self.signatures[name]
        outputs = set(definition.outputs)
        if (
            list(definition.inputs) != ["inputs"]
            or len(outputs) > MAX_CLASSIFY_OUTPUTS
            or not outputs & CLASSIFY_OUTPUTS
        ):
            raise invalid(
                f"Expected a classification signature: one input `inputs`, one or two outputs, "
                f"`classes` and/or `scores` among them. Signature {name!r} has the inputs "
                f"{', '.join(sorted(definition.inputs))} and the outputs "
                f"{', '.join(sorted(definition.outputs))}. Name one by signature_name."
            )
        if not len(strings):
            raise invalid("Input is empty.")
        return {"inputs": strings}


def _check_tensor(name: str, array: np.ndarray, info: Any) -> None:
    """Checks the dtype and the shape of one input against its TensorInfo."""
    dtype = tf.dtypes.as_dtype(info.dtype)
    given = tf.string if array.dtype == object else tf.dtypes.as_dtype(array.dtype)
    if dtype != given:
        raise invalid(f"input {name!r} must be of type {dtype.name}, not {given.name}.")
    if info.tensor_shape.unknown_rank:
        return
    wanted = [dim.size for dim in info.tensor_shape.dim]
    if len(wanted) != array.ndim or any(
        size not in (-1, actual) for size, actual in zip(wanted, array.shape, strict=True)
    ):
        raise invalid(
            f"input {name!r} must have the shape {wanted} (-1: any). Received: {list(array.shape)}"
        )

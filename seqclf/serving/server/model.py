"""`ServedModel`: one version, loaded, and run on arrays."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import prediction_log_pb2

from seqclf.serving.names import WARMUP
from seqclf.serving.object_arrays import object_array
from seqclf.serving.server.fault import Fault, from_error, invalid

DEFAULT = "serving_default"
CLASSIFY_OUTPUTS = {"classes", "scores"}


class ServedModel:
    """One version of a model, any SavedModel with the tag `serve`.

    Args:
        path: of the version.

    Attributes:
        version: its number.
        signatures: name → SignatureDef.
        warmed_up: how many requests were replayed.

    Raises:
        Exception: whatever TensorFlow raises if it cannot be loaded, or a warm-up request fails.
    """

    def __init__(self, path: Path):
        self.path = path
        self.version = int(path.name)
        saved = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
        graphs = [g for g in saved.meta_graphs if set(g.meta_info_def.tags) == {"serve"}]
        if not graphs:
            raise ValueError(f"{path} has no graph with the tag `serve`.")
        definitions = graphs[0].signature_def
        self.signatures = {k: v for k, v in definitions.items() if not k.startswith("__")}
        self._loaded = tf.saved_model.load(str(path), tags=["serve"])  # keeps the variables alive
        self.warmed_up = self._warm_up()

    def inputs(self, signature: str) -> dict[str, str]:
        """Returns the dtype of each input of a signature ("" is the default one)."""
        name = signature or DEFAULT
        if name not in self.signatures:
            raise invalid(f'Serving signature name: "{name}" not found in signature def')
        infos = self.signatures[name].inputs
        return {key: tf.dtypes.as_dtype(info.dtype).name for key, info in infos.items()}

    def check_names(self, signature: str, inputs: Mapping[str, Any]) -> None:
        """Checks the names of inputs against a signature, ("" is the default one).

        Raises:
            Fault: another number of inputs, or another name; FAILED_PRECONDITION for an unknown
                signature.
        """
        name = signature or DEFAULT
        if name not in self.signatures:
            raise Fault("FAILED_PRECONDITION", f'Serving signature key "{name}" not found.')
        wanted = self.signatures[name].inputs.keys()
        if inputs.keys() != wanted:
            extra, missing = sorted(inputs.keys() - wanted), sorted(wanted - inputs.keys())
            raise invalid(
                f"inputs do not match signature: {len(inputs)} of {len(wanted)}. Sent extra: "
                f"{{{','.join(extra)}}}. Missing but required: {{{','.join(missing)}}}."
            )

    def check(self, signature: str, inputs: Mapping[str, np.ndarray]) -> int:
        """Checks inputs against a signature; returns the batch size.

        Raises:
            Fault: another number of inputs, another name, dtype or shape.
        """
        definition = self.signatures[signature]
        self.check_names(signature, inputs)
        sizes = set()
        for name, array in inputs.items():
            info = definition.inputs[name]
            wanted = [dim.size for dim in info.tensor_shape.dim]
            dtype = tf.dtypes.as_dtype(info.dtype)
            given = tf.string if array.dtype == object else tf.dtypes.as_dtype(array.dtype)
            if dtype != given:
                raise invalid(f"input {name!r} must be of type {dtype.name}, not {given.name}.")
            fits = len(wanted) == array.ndim and all(
                size in (-1, actual) for size, actual in zip(wanted, array.shape, strict=True)
            )
            if not info.tensor_shape.unknown_rank and not fits:
                raise invalid(
                    f"input {name!r} must have the shape {wanted} (-1: any). "
                    f"Received: {list(array.shape)}"
                )
            sizes.add(array.shape[0] if array.ndim else None)
        if len(sizes) != 1 or None in sizes:
            raise invalid(f"Input Tensors must have equal 0th-dimension size. Received: {sizes}")
        return sizes.pop()  # type: ignore[return-value]

    def run(self, signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Runs a signature on inputs that `check` has passed.

        Raises:
            Fault: an operation of the graph refuses them, or fails.
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
            raise from_error(error) from error

    def classification(self, signature: str, strings: np.ndarray) -> dict[str, np.ndarray]:
        """Checks that a signature is one for classification; returns its inputs for `run`.

        Args:
            signature: its name, "" for the default.
            strings: serialized `tf.Example` messages, `[B]`.

        Raises:
            Fault: the signature is unknown, or not for `tf.Example` messages.
        """
        name = signature or DEFAULT
        if name not in self.signatures:
            raise invalid(f"No signature was found with the name: {name}")
        definition = self.signatures[name]
        if list(definition.inputs) != ["inputs"] or not (
            set(definition.outputs) <= CLASSIFY_OUTPUTS
        ):
            raise invalid(
                f"Expected a classification signature: one input `inputs`, outputs `classes` "
                f"and/or `scores`. Signature {name!r} has the inputs "
                f"{', '.join(sorted(definition.inputs))} and the outputs "
                f"{', '.join(sorted(definition.outputs))}. Name one by signature_name."
            )
        if not len(strings):
            raise invalid("Input is empty.")
        return {"inputs": strings}

    def _warm_up(self) -> int:
        """Replays the requests that came with the model, as TensorFlow Serving does."""
        path = self.path / WARMUP
        if not path.is_file():
            return 0
        count = 0
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            log = prediction_log_pb2.PredictionLog.FromString(record)
            kind = log.WhichOneof("log_type")
            if kind == "predict_log":
                request: Any = log.predict_log.request
                inputs = {k: array_of(v) for k, v in request.inputs.items()}
            elif kind == "classify_log":
                request = log.classify_log.request
                inputs = self.classification(
                    request.model_spec.signature_name, serialized_examples(request.input)
                )
            else:
                continue
            name = request.model_spec.signature_name or DEFAULT
            if name not in self.signatures:
                raise ValueError(f"{path} has a request for the unknown signature {name!r}.")
            self.check(name, inputs)
            self.run(name, inputs)
            count += 1
        return count


LARGEST_TENSOR = 2**28  # bytes


def array_of(proto: Any) -> np.ndarray:
    """Converts a TensorProto.

    Raises:
        Fault: it is malformed, or would be larger than `LARGEST_TENSOR`: a message of a few bytes
            can name any shape.
    """
    try:
        dtype = tf.dtypes.as_dtype(proto.dtype)
        shape = [dim.size for dim in proto.tensor_shape.dim]
        size = math.prod(shape)
        if min(shape, default=0) < 0:
            raise invalid(f"A tensor cannot have the shape {shape}.")
        if size * max(dtype.size or 1, 1) > LARGEST_TENSOR:
            raise invalid(f"A tensor of {size} values is too large.")
        if dtype == tf.string and len(proto.string_val) not in (size, 1):
            raise invalid(f"{size} strings expected. Received: {len(proto.string_val)}")
        return tf.make_ndarray(proto)
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        raise invalid(f"A tensor cannot be read: {error}") from error


def serialized_examples(message: Any) -> np.ndarray:
    """Returns the `tf.Example` messages of a classification's Input, serialized, `[B]`."""
    kind = message.WhichOneof("kind")
    if kind == "example_list_with_context":
        both = message.example_list_with_context
        merged = []
        for example in both.examples:
            whole = tf.train.Example()
            whole.CopyFrom(both.context)
            whole.MergeFrom(example)
            merged.append(whole.SerializeToString())
    else:
        merged = [example.SerializeToString() for example in message.example_list.examples]
    return object_array(merged)

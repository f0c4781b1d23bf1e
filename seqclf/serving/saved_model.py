"""`SavedModel`: loads a SavedModel through TensorFlow's C API and calls its signatures."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf import (  # type: ignore[import-untyped, unused-ignore]
    descriptor_pb2,
    descriptor_pool,
    message_factory,
)

from seqclf.serving.c_api import Runtime, installed_libraries
from seqclf.serving.c_tensors import DTYPES, STRING, Tensor
from seqclf.serving.file_names import GRAPH

TAG = "serve"
# The fields of TensorFlow's messages that are read here: name, number, type, whether repeated.
# A map is on the wire what a repeated message of key and value is.
MESSAGES = {
    "Dim": [("size", 1, "int64", False)],
    "Shape": [("dim", 2, "Dim", True), ("unknown_rank", 3, "bool", False)],
    "TensorInfo": [
        ("name", 1, "string", False), ("dtype", 2, "int64", False), ("shape", 3, "Shape", False),
    ],
    "Entry": [("key", 1, "string", False), ("value", 2, "TensorInfo", False)],
    "Signature": [("inputs", 1, "Entry", True), ("outputs", 2, "Entry", True)],
    "SignatureEntry": [("key", 1, "string", False), ("value", 2, "Signature", False)],
    "MetaInfo": [("tags", 4, "string", True)],
    "MetaGraph": [
        ("meta_info", 1, "MetaInfo", False), ("signature_def", 5, "SignatureEntry", True),
    ],
    "SavedModel": [("meta_graphs", 2, "MetaGraph", True)],
}  # fmt: skip


@dataclass(frozen=True)
class TensorInfo:
    """An input or output of a signature.

    Attributes:
        name: name of the tensor in the graph.
        dtype: name of the type, such as `float32`; `string` for strings.
        shape: sizes, None for a dimension of any size; None as a whole if even the rank is open.
    """

    name: str
    dtype: str
    shape: tuple[int | None, ...] | None


@dataclass(frozen=True)
class Signature:
    """One way to call a model.

    Attributes:
        inputs: the inputs by their names.
        outputs: the outputs by their names.
    """

    inputs: dict[str, TensorInfo]
    outputs: dict[str, TensorInfo]


class SavedModel:
    """A loaded SavedModel.

    Args:
        folder: the folder with `saved_model.pb`.

    Attributes:
        signatures: the signatures by their names.

    Raises:
        OSError: a file is missing, or TensorFlow is not installed.
        Failure: TensorFlow cannot load the model.
        ValueError: `saved_model.pb` is damaged, or has no graph with the tag `serve`.
    """

    def __init__(self, folder: Path):
        self.signatures = read_signatures(folder)
        self._runtime = Runtime(installed_libraries())
        self._runtime.load(str(folder), TAG)

    def run(self, signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Calls a signature.

        Args:
            signature: name of the signature.
            inputs: arrays by the names of the inputs, of their dtypes; strings as objects.

        Returns:
            Arrays by the names of the outputs; strings as bytes objects.

        Raises:
            Failure: the graph refuses the inputs, or fails.
        """
        called = self.signatures[signature]
        feeds = {called.inputs[k].name: Tensor.from_array(v) for k, v in inputs.items()}
        results = self._runtime.run(feeds, [info.name for info in called.outputs.values()])
        return {k: r.to_array() for k, r in zip(called.outputs, results, strict=True)}


def read_signatures(folder: Path) -> dict[str, Signature]:
    """Returns the signatures of a SavedModel by their names.

    Args:
        folder: the folder with `saved_model.pb`.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is damaged, or has no graph with the tag `serve`.
    """
    try:
        saved = _message_class()()
        saved.ParseFromString((folder / GRAPH).read_bytes())
    except OSError:
        raise
    except Exception as error:  # protobuf's own type of error depends on its implementation
        raise ValueError(f"{GRAPH} is damaged") from error
    for graph in saved.meta_graphs:
        if set(graph.meta_info.tags) == {TAG}:
            return {entry.key: _signature(entry.value) for entry in graph.signature_def}
    raise ValueError(f"{GRAPH} has no graph with the tag `{TAG}`")


def _signature(message: Any) -> Signature:
    return Signature(
        {entry.key: _tensor(entry.value) for entry in message.inputs},
        {entry.key: _tensor(entry.value) for entry in message.outputs},
    )


def _tensor(message: Any) -> TensorInfo:
    dtype = "string" if message.dtype == STRING else str(DTYPES.get(message.dtype, "unknown"))
    sizes = tuple(None if dim.size < 0 else dim.size for dim in message.shape.dim)
    return TensorInfo(message.name, dtype, None if message.shape.unknown_rank else sizes)


@cache
def _message_class() -> Any:
    """Returns a class for SavedModel messages, which TensorFlow's own needs seconds to import."""
    kinds = descriptor_pb2.FieldDescriptorProto
    scalars = {"int64": kinds.TYPE_INT64, "bool": kinds.TYPE_BOOL, "string": kinds.TYPE_STRING}
    file = descriptor_pb2.FileDescriptorProto(
        name="saved_model.proto", package="seqclf.saved_model", syntax="proto3"
    )
    for message, fields in MESSAGES.items():
        described = file.message_type.add(name=message)
        for name, number, kind, repeated in fields:
            label = kinds.LABEL_REPEATED if repeated else kinds.LABEL_OPTIONAL
            field = described.field.add(name=name, number=number, label=label)
            if kind in scalars:
                field.type = scalars[kind]
            else:
                field.type, field.type_name = kinds.TYPE_MESSAGE, f".{file.package}.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{file.package}.SavedModel"))

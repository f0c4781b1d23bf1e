"""A program that runs a SavedModel as TensorFlow Serving does: `probe.py FOLDER`.

It calls TensorFlow's C API and never imports TensorFlow for Python. A Python process would have
things that a server lacks: Python functions, XLA switched on, operations of its own. `run_probe`
starts the program.

FOLDER holds `job.npz`. The program writes `start.npz`, `load.npz`, and `0.npz`, `1.npz`, ... for
the calls, each as soon as its content is known: if the program dies, the first missing file shows
which step killed it.
"""

import ctypes
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

STRING = 7  # TF_STRING
STRING_SIZE = 24  # sizeof(TF_TString)
NOT_FOUND = 5  # TF_NOT_FOUND
NO_XLA = "_ZN10tensorflow21DisableXlaCompilationEv"  # tensorflow::DisableXlaCompilation()


@dataclass(frozen=True)
class Tensor:
    """A tensor of any type as bytes; strings may be empty and hold zero bytes.

    Attributes:
        kind: number of the type in the enum `DataType`.
        shape: sizes of the dimensions.
        data: the elements in row-major order; strings without anything between them.
        lengths: lengths of the strings in bytes; empty for other types.
    """

    kind: int
    shape: tuple[int, ...]
    data: bytes
    lengths: tuple[int, ...] = ()


def save(path: Path, record: dict[str, Any], tensors: dict[str, Tensor] | None = None) -> None:
    """Writes a record and named tensors; the file appears whole or not at all."""
    tensors = tensors or {}
    arrays = {str(i): np.frombuffer(t.data, np.uint8) for i, t in enumerate(tensors.values())}
    heads = [(key, t.kind, t.shape, t.lengths) for key, t in tensors.items()]
    text = json.dumps({"record": record, "tensors": heads}).encode()
    unfinished = path.with_suffix(".part")
    with open(unfinished, "wb") as file:
        np.savez(file, json=np.frombuffer(text, np.uint8), **arrays)  # type: ignore[arg-type]
    os.replace(unfinished, path)


def load(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Reads the record and the tensors that `save` has written."""
    with np.load(path, allow_pickle=False) as file:
        content = json.loads(file["json"].tobytes())
        tensors = {
            key: Tensor(kind, tuple(shape), file[str(i)].tobytes(), tuple(lengths))
            for i, (key, kind, shape, lengths) in enumerate(content["tensors"])
        }
    return content["record"], tensors


class _Output(ctypes.Structure):
    _fields_ = [("operation", ctypes.c_void_p), ("index", ctypes.c_int)]


class _Buffer(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p), ("length", ctypes.c_size_t), ("free", ctypes.c_void_p),
    ]  # fmt: skip


class Failure(Exception):  # noqa: N818 - an error of TensorFlow, which is a result here
    """A status other than OK, with its code and message."""

    def __init__(self, code: int, message: str):
        super().__init__(message)
        self.code = code


def _functions() -> dict[str, tuple[Any, list[Any]]]:
    """Returns result and argument types of the C functions; without them ctypes assumes ints."""
    at, text, integer, size = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_size_t
    outputs, pointers = ctypes.POINTER(_Output), ctypes.POINTER(at)
    buffer, texts = ctypes.POINTER(_Buffer), ctypes.POINTER(text)
    return {
        "TF_Version": (text, []),
        "TF_NewStatus": (at, []),
        "TF_GetCode": (integer, [at]),
        "TF_Message": (text, [at]),
        "TF_NewGraph": (at, []),
        "TF_NewSessionOptions": (at, []),
        "TF_LoadSessionFromSavedModel": (at, [at, at, text, texts, integer, at, at, at]),
        "TF_GraphOperationByName": (at, [at, text]),
        "TF_OperationNumOutputs": (integer, [at]),
        "TF_AllocateTensor": (at, [integer, ctypes.POINTER(ctypes.c_int64), integer, size]),
        "TF_DeleteTensor": (None, [at]),
        "TF_TensorData": (at, [at]),
        "TF_TensorByteSize": (size, [at]),
        "TF_TensorType": (integer, [at]),
        "TF_NumDims": (integer, [at]),
        "TF_Dim": (ctypes.c_int64, [at, integer]),
        "TF_StringInit": (None, [at]),
        "TF_StringCopy": (None, [at, text, size]),
        "TF_StringGetSize": (size, [at]),
        "TF_StringGetDataPointer": (at, [at]),
        "TF_GetAllOpList": (buffer, []),
        "TF_GetRegisteredKernelsForOp": (buffer, [text, at]),
        "TF_SessionRun": (
            None,
            [
                *(at, at, outputs, pointers, integer, outputs, pointers, integer),
                *(pointers, integer, at, at),
            ],
        ),
    }


class Runtime:
    """TensorFlow's shared libraries in a folder.

    Attributes:
        version: version of TensorFlow.
        without_xla: whether XLA could be switched off.
    """

    def __init__(self, folder: str):
        for name in ("libtensorflow_framework.so.2", "libtensorflow_cc.so.2"):
            # By path and with global symbols, so that the second library does not find the first
            # library of another TensorFlow.
            self._c = ctypes.CDLL(os.path.join(folder, name), mode=ctypes.RTLD_GLOBAL)
        for name, (result, arguments) in _functions().items():
            function = getattr(self._c, name)
            function.restype, function.argtypes = result, arguments
        self.version = self._c.TF_Version().decode()
        try:
            self._c[NO_XLA]()  # as TensorFlow Serving does first in its main()
            self.without_xla = True
        except AttributeError:
            self.without_xla = False
        self._status = self._c.TF_NewStatus()

    def operations(self) -> bytes:
        """Returns the operations that the runtime knows, an OpList message."""
        return self._bytes(self._c.TF_GetAllOpList())

    def kernels(self, operation: str) -> bytes:
        """Returns the kernels of an operation, a KernelList message."""
        kernels = self._c.TF_GetRegisteredKernelsForOp(operation.encode(), self._status)
        self._check()
        return self._bytes(kernels)

    def load(self, folder: str, tag: str) -> None:
        """Loads a SavedModel and runs its initialisation, which fills the variables.

        Raises:
            Failure: it cannot be loaded.
        """
        self._graph = self._c.TF_NewGraph()
        tags = (ctypes.c_char_p * 1)(tag.encode())
        self._session = self._c.TF_LoadSessionFromSavedModel(
            self._c.TF_NewSessionOptions(), None, os.fsencode(folder), tags, 1,
            self._graph, None, self._status,
        )  # fmt: skip
        self._check()

    def run(self, feeds: dict[str, Tensor], fetches: list[str]) -> list[Tensor]:
        """Runs the graph.

        Args:
            feeds: values by the names of tensors, such as `serving_default_x:0`.
            fetches: names of tensors.

        Raises:
            Failure: a name is unknown, or the graph fails.
        """
        inputs = (_Output * len(feeds))(*map(self._output, feeds))
        outputs = (_Output * len(fetches))(*map(self._output, fetches))
        values = (ctypes.c_void_p * len(feeds))(*map(self._allocate, feeds.values()))
        results = (ctypes.c_void_p * len(fetches))()
        self._c.TF_SessionRun(
            self._session, None, inputs, values, len(feeds), outputs, results, len(fetches),
            None, 0, None, self._status,
        )  # fmt: skip
        # Strings are not freed: an output or a variable may share them, and this process ends soon.
        for value in values:
            self._c.TF_DeleteTensor(value)
        self._check()
        return [self._read(result) for result in results if result]

    def _output(self, name: str) -> _Output:
        operation, _, index = name.partition(":")
        found = self._c.TF_GraphOperationByName(self._graph, operation.encode())
        number = int(index) if index.isdecimal() else 0
        if not found or number >= self._c.TF_OperationNumOutputs(found):
            raise Failure(NOT_FOUND, f"The graph has no tensor {name!r}.")
        return _Output(found, number)

    def _allocate(self, tensor: Tensor) -> int:
        shape = (ctypes.c_int64 * len(tensor.shape))(*tensor.shape)
        strings = tensor.kind == STRING
        size = STRING_SIZE * len(tensor.lengths) if strings else len(tensor.data)
        allocated: int = self._c.TF_AllocateTensor(tensor.kind, shape, len(tensor.shape), size)
        at = self._c.TF_TensorData(allocated)
        if not strings:
            ctypes.memmove(at, tensor.data, size)
            return allocated
        start = 0
        for i, length in enumerate(tensor.lengths):
            self._c.TF_StringInit(at + i * STRING_SIZE)
            text = tensor.data[start : start + length]
            self._c.TF_StringCopy(at + i * STRING_SIZE, text, length)
            start += length
        return allocated

    def _read(self, result: int) -> Tensor:
        dims = range(self._c.TF_NumDims(result))
        shape = tuple(self._c.TF_Dim(result, i) for i in dims)
        kind = self._c.TF_TensorType(result)
        at, size = self._c.TF_TensorData(result), self._c.TF_TensorByteSize(result)
        if kind != STRING:
            tensor = Tensor(kind, shape, ctypes.string_at(at, size) if size else b"")
        else:
            texts = [self._text(at + i * STRING_SIZE) for i in range(size // STRING_SIZE)]
            tensor = Tensor(kind, shape, b"".join(texts), tuple(map(len, texts)))
        self._c.TF_DeleteTensor(result)
        return tensor

    def _text(self, at: int) -> bytes:
        length = self._c.TF_StringGetSize(at)
        return ctypes.string_at(self._c.TF_StringGetDataPointer(at), length) if length else b""

    def _bytes(self, buffer: Any) -> bytes:
        content = buffer.contents
        return ctypes.string_at(content.data, content.length) if content.length else b""

    def _check(self) -> None:
        code = self._c.TF_GetCode(self._status)
        if code:
            raise Failure(code, self._c.TF_Message(self._status).decode(errors="replace"))


def main(folder: Path) -> None:
    """Runs the job that is described in `folder/job.npz` and writes the results beside it."""
    job, feeds = load(folder / "job.npz")
    runtime = Runtime(job["runtime"])
    lists = {"": runtime.operations(), **{op: runtime.kernels(op) for op in job["operations"]}}
    save(
        folder / "start.npz",
        {"version": runtime.version, "without_xla": runtime.without_xla},
        {name: Tensor(0, (), content) for name, content in lists.items()},
    )
    try:
        runtime.load(job["model"], job["tag"])
    except Failure as error:
        save(folder / "load.npz", {"code": error.code, "message": str(error)})
        return
    save(folder / "load.npz", {"code": 0, "message": ""})
    for i, call in enumerate(job["calls"]):
        values = {name: feeds[f"{i} {name}"] for name in call["feeds"]}
        try:
            outputs = runtime.run(values, call["fetches"])
        except Failure as error:
            save(folder / f"{i}.npz", {"code": error.code, "message": str(error), "shapes": []})
            continue
        kept = dict(zip(call["fetches"], outputs, strict=True)) if call["values"] else {}
        shapes = [output.shape for output in outputs]
        save(folder / f"{i}.npz", {"code": 0, "message": "", "shapes": shapes}, kept)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

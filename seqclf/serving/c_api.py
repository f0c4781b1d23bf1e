"""TensorFlow's C API: runs a SavedModel as TensorFlow Serving does, without TensorFlow for Python.

It starts in a sixth of the time that it takes to import TensorFlow.
"""

import ctypes
import importlib.util
import os
import sys
import weakref
from pathlib import Path
from typing import Any

from seqclf.serving.c_tensors import STRING, Tensor
from seqclf.storage.plain_path import plain_path

STRING_SIZE = 24  # sizeof(TF_TString)
INVALID_ARGUMENT = 3  # TF_INVALID_ARGUMENT
NOT_FOUND = 5  # TF_NOT_FOUND
NO_XLA = "_ZN10tensorflow21DisableXlaCompilationEv"  # tensorflow::DisableXlaCompilation()


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
        "TF_DeleteGraph": (None, [at]),
        "TF_DeleteSession": (None, [at, at]),
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
        "TF_StringDealloc": (None, [at]),
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


def installed_libraries() -> str:
    """Returns the folder with the shared libraries of the installed TensorFlow.

    Raises:
        FileNotFoundError: it is not installed.
    """
    spec = importlib.util.find_spec("tensorflow")  # finds the package without importing it
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("TensorFlow is not installed")
    return spec.submodule_search_locations[0]


class Runtime:
    """TensorFlow's shared libraries in a folder.

    Args:
        folder: the folder of the libraries.
        isolated: whether nothing else in this process uses TensorFlow. Then XLA is switched off
            for the whole process, as TensorFlow Serving does, and the strings of a request are not
            freed: an output or a variable of any graph may share them.

    Attributes:
        version: version of TensorFlow.
        without_xla: whether XLA could be switched off.
    """

    def __init__(self, folder: str, isolated: bool = False):
        ending = "2.dylib" if sys.platform == "darwin" else "so.2"
        for name in ("libtensorflow_framework", "libtensorflow_cc"):
            # By path and with global symbols, so that the second library does not find the first
            # library of another TensorFlow.
            self._c = ctypes.CDLL(os.path.join(folder, f"{name}.{ending}"), mode=ctypes.RTLD_GLOBAL)
        for name, (result, arguments) in _functions().items():
            function = getattr(self._c, name)
            function.restype, function.argtypes = result, arguments
        self.version = self._c.TF_Version().decode()
        self._isolated = isolated
        self.without_xla = isolated and self._switch_xla_off()
        self._status = self._c.TF_NewStatus()

    def _switch_xla_off(self) -> bool:
        """Does what TensorFlow Serving does first in its main(); returns whether it could."""
        try:
            self._c[NO_XLA]()
        except AttributeError:
            return False
        return True

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
        with plain_path(Path(folder)) as plain:
            self._session = self._c.TF_LoadSessionFromSavedModel(
                self._c.TF_NewSessionOptions(), None, os.fsencode(plain), tags, 1,
                self._graph, None, self._status,
            )  # fmt: skip
        self._check()
        weakref.finalize(self, _release, self._c, self._session, self._graph, self._status)

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
        try:
            self._check()
            return [self._read(result) for result in results if result]
        finally:
            for value, tensor in zip(values, feeds.values(), strict=True):
                self._free(value, tensor)

    def _free(self, allocated: int, tensor: Tensor) -> None:
        """Frees an input after the outputs, which may share its strings, have been read."""
        if not self._isolated:
            at = self._c.TF_TensorData(allocated)
            for i in range(len(tensor.lengths)):
                self._c.TF_StringDealloc(at + i * STRING_SIZE)
        self._c.TF_DeleteTensor(allocated)

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
        """Copies an output and frees it."""
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


def _release(c: Any, session: int, graph: int, status: int) -> None:
    c.TF_DeleteSession(session, status)
    c.TF_DeleteGraph(graph)

"""Runs `probe.py` in a fresh process and reads what it found, also if that process dies."""

import itertools
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import kernel_def_pb2, op_def_pb2
from tensorflow.core.protobuf import error_codes_pb2

from seqclf.serving.object_arrays import object_array
from seqclf.serving.verify import probe
from seqclf.serving.verify.outcome import one_line
from seqclf.serving.verify.signatures import TAG


@dataclass(frozen=True)
class Call:
    """One run of the graph.

    Attributes:
        feeds: values by the names of tensors.
        fetches: names of tensors, by the names of the outputs.
        values: whether the outputs' values are wanted, or their shapes only.
    """

    feeds: dict[str, np.ndarray]
    fetches: dict[str, str]
    values: bool = False


@dataclass(frozen=True)
class Answer:
    """What came of a call.

    Attributes:
        error: empty, or the code and the message.
        invalid: whether the error is INVALID_ARGUMENT, which refuses the request.
        shapes: of the outputs.
        values: of the outputs, where they were wanted; strings as bytes.
    """

    error: str = ""
    invalid: bool = False
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    values: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """What the probe found.

    Attributes:
        runtime: name and version of the TensorFlow that it ran.
        kernels: for each operation the devices with a kernel, None: unknown; None: not asked.
        failure: why the model could not be loaded; empty: it could.
        answers: one for each call; None: the process died before it.
    """

    runtime: str
    kernels: dict[str, list[str] | None] | None
    failure: str
    answers: list[Answer | None]


def run_probe(
    model: Path,
    operations: Sequence[str],
    calls: Sequence[Call],
    runtime: str | Path | None = None,
    timeout: float = 300,
) -> Report:
    """Loads a SavedModel in a process of its own and makes calls to it.

    Args:
        model: the version's folder.
        operations: those whose kernels are asked for.
        calls: made in this order.
        runtime: folder with another TensorFlow's shared libraries; default: the installed one's.
        timeout: seconds for all.
    """
    folder = str(runtime or tf.sysconfig.get_lib())
    job = {
        "runtime": folder,
        "model": str(model.resolve()),
        "tag": TAG,
        "operations": sorted(operations),
        "calls": [
            {"feeds": list(c.feeds), "fetches": list(c.fetches.values()), "values": c.values}
            for c in calls
        ],
    }
    feeds = {f"{i} {k}": pack(v) for i, call in enumerate(calls) for k, v in call.feeds.items()}
    with tempfile.TemporaryDirectory(prefix="seqclf-verify-") as name:
        place = Path(name)
        probe.save(place / "job.npz", job, feeds)
        death = _run(place, timeout)
        death = death or "the process ended without a word"  # read where an answer is missing
        return _read(place, folder, death, sorted(operations), calls)


def _run(place: Path, timeout: float) -> str:
    """Runs the program; returns how it died, empty if it did not."""
    # A server may have no GPU; the log's level leaves the errors that a dying process prints.
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "2"}
    program = [sys.executable, probe.__file__, str(place)]
    with open(place / "log", "w+b") as log:
        try:
            done = subprocess.run(
                program, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                timeout=timeout,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return f"no answer within {timeout:g} s"
        log.seek(0)
        lines = log.read().decode(errors="replace").strip().splitlines()
    if done.returncode == 0:
        return ""
    last = f": {one_line(lines[-1])}" if lines else ""
    if done.returncode < 0:
        return f"the process died of {signal.Signals(-done.returncode).name}{last}"
    return f"the process ended with status {done.returncode}{last}"


def _read(
    place: Path, folder: str, death: str, operations: list[str], calls: Sequence[Call]
) -> Report:
    nothing: list[Answer | None] = [None] * len(calls)
    if not (place / "start.npz").exists():
        return Report(f"the TensorFlow in {folder}", None, death, nothing)
    start, lists = probe.load(place / "start.npz")
    runtime = f"TensorFlow {start['version']}"
    if not start["without_xla"]:
        runtime += " (with XLA: it has no switch)"
    known = {op.name for op in op_def_pb2.OpList.FromString(lists[""].data).op}
    kernels = {
        op: _devices(lists[op].data) if op in known or lists[op].data else None for op in operations
    }
    if not (place / "load.npz").exists():
        return Report(runtime, kernels, f"{death} while loading the model", nothing)
    loaded, _ = probe.load(place / "load.npz")
    if loaded["code"]:
        return Report(runtime, kernels, _error(loaded), nothing)
    answers: list[Answer | None] = []
    for i, call in enumerate(calls):
        if not (place / f"{i}.npz").exists():
            answers += [Answer(error=death), *[None] * (len(calls) - i - 1)]
            break
        answers.append(_answer(place / f"{i}.npz", call))
    return Report(runtime, kernels, "", answers)


def _answer(path: Path, call: Call) -> Answer:
    record, tensors = probe.load(path)
    if record["code"]:
        invalid = record["code"] == error_codes_pb2.INVALID_ARGUMENT
        return Answer(error=_error(record), invalid=invalid)
    shapes = {key: tuple(s) for key, s in zip(call.fetches, record["shapes"], strict=True)}
    values = {key: unpack(tensors[name]) for key, name in call.fetches.items() if name in tensors}
    return Answer(shapes=shapes, values=values)


def _devices(kernels: bytes) -> list[str]:
    return sorted({k.device_type for k in kernel_def_pb2.KernelList.FromString(kernels).kernel})


def _error(record: dict) -> str:
    return one_line(f"{error_codes_pb2.Code.Name(record['code'])}: {record['message']}")


def pack(array: np.ndarray) -> probe.Tensor:
    """Returns an array as a tensor for the probe; arrays of objects or texts are strings."""
    kind = tf.dtypes.as_dtype(array.dtype).as_datatype_enum
    if kind != probe.STRING:
        return probe.Tensor(kind, array.shape, array.tobytes())
    texts = [as_bytes(text) for text in array.ravel().tolist()]
    return probe.Tensor(kind, array.shape, b"".join(texts), tuple(map(len, texts)))


def unpack(tensor: probe.Tensor) -> np.ndarray:
    """Returns a tensor of the probe's as an array; strings as an array of bytes objects."""
    if tensor.kind != probe.STRING:
        kind = tf.dtypes.as_dtype(tensor.kind).as_numpy_dtype
        return np.frombuffer(tensor.data, kind).reshape(tensor.shape)
    ends = list(itertools.accumulate(tensor.lengths))
    pairs = zip([0, *ends], ends, strict=False)
    return object_array((tensor.data[start:end] for start, end in pairs), tensor.shape)


def as_bytes(text: str | bytes) -> bytes:
    """Returns a string's bytes."""
    return text.encode() if isinstance(text, str) else bytes(text)

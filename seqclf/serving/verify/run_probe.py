"""Runs `probe.py` in a process of its own and reads what it found, even if that process dies."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from tensorflow.core.framework import kernel_def_pb2, op_def_pb2
from tensorflow.core.protobuf import error_codes_pb2

import seqclf
from seqclf.serving.c_api import installed_libraries
from seqclf.serving.c_tensors import Tensor
from seqclf.serving.verify import probe
from seqclf.serving.verify.checks import one_line
from seqclf.serving.verify.signatures import TAG

PACKAGE_PARENT = Path(seqclf.__file__).parent.parent


@dataclass(frozen=True)
class Call:
    """One run of the graph.

    Attributes:
        feeds: values by the names of tensors.
        fetches: names of tensors, by the names of the outputs.
        values: whether the values of the outputs are wanted; otherwise only their shapes are.
    """

    feeds: dict[str, np.ndarray]
    fetches: dict[str, str]
    values: bool = False


@dataclass(frozen=True)
class ProbeResult:
    """The result of a call.

    Attributes:
        error: code and message of the error; empty if there was none.
        invalid: whether the error is INVALID_ARGUMENT, which refuses the request.
        shapes: shapes of the outputs.
        values: values of the outputs, where they were wanted; strings as bytes.
    """

    error: str = ""
    invalid: bool = False
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    values: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class ProbeReport:
    """The findings of the probe.

    Attributes:
        runtime: name and version of the TensorFlow that ran the model.
        kernels: for each operation the devices that have a kernel, or None for an unknown
            operation; None as a whole if the runtime could not be asked.
        failure: why the model could not be loaded; empty if it was.
        results: the result of each call; None if the process died before it.
    """

    runtime: str
    kernels: dict[str, list[str] | None] | None
    failure: str
    results: list[ProbeResult | None]


def run_probe(
    model: Path,
    operations: Sequence[str],
    calls: Sequence[Call],
    runtime: str | Path | None = None,
    timeout: float = 300,
) -> ProbeReport:
    """Loads a SavedModel in a process of its own and makes calls to it.

    Args:
        model: the version's folder.
        operations: the operations whose kernels are asked for.
        calls: the calls, made in this order.
        runtime: folder with the shared libraries of another TensorFlow; None: the installed one.
        timeout: seconds for loading and all calls.
    """
    folder = str(Path(runtime).expanduser() if runtime else installed_libraries())
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
    feeds = {
        f"{i} {k}": Tensor.from_array(v)
        for i, call in enumerate(calls)
        for k, v in call.feeds.items()
    }
    with tempfile.TemporaryDirectory(prefix="seqclf-verify-") as name:
        place = Path(name)
        probe.save(place / "job.npz", job, feeds)
        death = _run(place, timeout)
        death = death or "the process ended without a word"  # said where a result is missing
        return _read_report(place, folder, death, sorted(operations), calls)


def _run(place: Path, timeout: float) -> str:
    """Runs the program; returns how it died, or an empty string if it did not."""
    # A server may have no GPU. The log level keeps the errors that a dying process prints.
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "2"}
    paths = [str(PACKAGE_PARENT), os.environ.get("PYTHONPATH")]  # the program imports seqclf
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
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


def _read_report(
    place: Path, folder: str, death: str, operations: list[str], calls: Sequence[Call]
) -> ProbeReport:
    nothing: list[ProbeResult | None] = [None] * len(calls)
    if not (place / "start.npz").exists():
        return ProbeReport(f"the TensorFlow in {folder}", None, death, nothing)
    start, lists = probe.load(place / "start.npz")
    runtime = f"TensorFlow {start['version']}"
    if not start["without_xla"]:
        runtime += " (with XLA: it has no switch)"
    known = {op.name for op in op_def_pb2.OpList.FromString(lists[""].data).op}
    kernels = {
        op: _devices(lists[op].data) if op in known or lists[op].data else None for op in operations
    }
    if not (place / "load.npz").exists():
        return ProbeReport(runtime, kernels, f"{death} while loading the model", nothing)
    loaded, _ = probe.load(place / "load.npz")
    if loaded["code"]:
        return ProbeReport(runtime, kernels, _error(loaded), nothing)
    results: list[ProbeResult | None] = []
    for i, call in enumerate(calls):
        if not (place / f"{i}.npz").exists():
            results += [ProbeResult(error=death), *[None] * (len(calls) - i - 1)]
            break
        results.append(_read_result(place / f"{i}.npz", call))
    return ProbeReport(runtime, kernels, "", results)


def _read_result(path: Path, call: Call) -> ProbeResult:
    record, tensors = probe.load(path)
    if record["code"]:
        invalid = record["code"] == error_codes_pb2.INVALID_ARGUMENT
        return ProbeResult(error=_error(record), invalid=invalid)
    shapes = {key: tuple(s) for key, s in zip(call.fetches, record["shapes"], strict=True)}
    values = {
        key: tensors[name].to_array() for key, name in call.fetches.items() if name in tensors
    }
    return ProbeResult(shapes=shapes, values=values)


def _devices(kernels: bytes) -> list[str]:
    return sorted({k.device_type for k in kernel_def_pb2.KernelList.FromString(kernels).kernel})


def _error(record: dict[str, Any]) -> str:
    return one_line(f"{error_codes_pb2.Code.Name(record['code'])}: {record['message']}")

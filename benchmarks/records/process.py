"""`in_own_process`: does a job of `benchmarks.records.worker` in a process of its own."""

import contextlib
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seqclf.errors import TrainingError
from seqclf.storage.files import read_json, write_json

PYTHON = [sys.executable]
JOB, RESULT = "job.json", "result.json"
LOOK_EVERY = 0.2  # seconds between two looks at whether the end is asked for


def in_own_process(
    job: Mapping[str, Any], folder: Path, stop: threading.Event | None = None
) -> dict[str, Any]:
    """Does a job, or goes on with it, and returns its result.

    A stop is passed on to the process, which saves what it has done; then it is waited for.

    Args:
        job: what `benchmarks.records.worker` shall do.
        folder: where job, result and run lie. A result that is there is returned as it is, if it is
            that of the same job.
        stop: asks for the end when it is set.

    Raises:
        TrainingError: the process ended without a result, or `stop` was set.
        RunError: the folder holds a damaged job or result.
        StorageError: the folder cannot be written.
        KeyboardInterrupt: a signal has asked for the end.
    """
    job = json.loads(json.dumps(job))  # as it is read back: lists for tuples
    written, result = folder / JOB, folder / RESULT
    if not written.exists() or read_json(written) != job:
        result.unlink(missing_ok=True)
        write_json(written, job)
    if not result.exists():
        command = [*PYTHON, "-m", "benchmarks.records.worker", str(folder), repr(time.monotonic())]
        _run(command, stop or threading.Event())
    if not result.exists():
        raise TrainingError(f"{folder}: the process ended without a result: see above.")
    return read_json(result)


def _run(command: list[str], stop: threading.Event) -> None:
    """Runs a command in a session of its own, so that Ctrl-C reaches it once, and from here alone.

    Its standard input stays open until this process ends, however it ends.
    """
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as process:
        status = None
        try:
            while status is None and not stop.is_set():
                with contextlib.suppress(subprocess.TimeoutExpired):
                    status = process.wait(LOOK_EVERY)
        finally:
            if status is None:
                with contextlib.suppress(ProcessLookupError):
                    process.send_signal(signal.SIGTERM)
                process.wait()
    if status is None:
        raise TrainingError("A training was stopped; the same command goes on with it.")
    if status:
        raise TrainingError(f"A training ended with status {status}: see above.")

"""Runs one contender of `benchmarks.speed`: reads requests and writes answers as JSON lines.

Each contender has a process of its own, so that its threads do not disturb those of the others and
its peak memory can be measured.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.shape import Shape


def main() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from benchmarks.contenders import CONTENDERS

    answers = os.fdopen(os.dup(1), "w")  # whatever else prints goes to standard error
    os.dup2(2, 1)
    name, *numbers = sys.argv[1:]
    calls = CONTENDERS[name](Shape(*map(int, numbers)))
    before = reset_peak()
    for line in sys.stdin:
        request = json.loads(line)
        call = getattr(calls, request["call"])
        answer = _time(call, request["times"]) | {"mib": peak_mib() - before}
        print(json.dumps(answer), file=answers, flush=True)


def _time(call: Callable[[], Any], times: int) -> dict[str, float]:
    """Returns the seconds of a call, and the CPU seconds of all threads of this process."""
    start, cpu = time.perf_counter(), time.process_time()
    for _ in range(times):
        call()
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    return {"seconds": seconds / times, "cpu_seconds": cpu / times}


def reset_peak() -> float:
    """Resets the peak of memory, which importing has raised, where Linux allows it.

    Returns:
        The memory in use, in MiB.
    """
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        print("The peak of memory includes that of start-up here.", file=sys.stderr)
    return peak_mib()


def peak_mib() -> float:
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return float(lines["VmHWM"].split()[0]) / 1024


if __name__ == "__main__":
    main()

"""`side_by_side`: does jobs one after another, or several at once."""

import os
import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

Job = Callable[..., dict[str, Any]]


def side_by_side(
    job: Job, todo: Sequence[tuple[Mapping[str, Any], Path]], at_once: int
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Does jobs, and gives the result of each as soon as it is there.

    When a job fails, or a signal asks for the end, the others are stopped, and what they have done
    is saved.

    Args:
        job: does one. If several are done at once, it is also given `stop`, an event that asks it
            to end, and it may use the cores of its thread alone, as do processes that it starts.
        todo: what to do, and the folder for it, of each job.
        at_once: number of jobs at a time. Each has its share of the cores.

    Yields:
        The index of a job, and its result.
    """
    if at_once == 1:
        for index, each in enumerate(todo):
            yield index, job(*each)
        return
    stop, free = threading.Event(), queue.SimpleQueue[list[int]]()
    for cores in shares(sorted(os.sched_getaffinity(0)), at_once):
        free.put(cores)

    def take_cores() -> None:
        os.sched_setaffinity(0, free.get())  # of this thread

    with ThreadPoolExecutor(at_once, initializer=take_cores) as pool:
        futures = {pool.submit(job, *each, stop=stop): i for i, each in enumerate(todo)}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise


def shares(cores: Sequence[int], count: int) -> list[list[int]]:
    """Divides cores into shares as equal as can be; with more shares than cores, some have one."""
    if count >= len(cores):
        return [[cores[i % len(cores)]] for i in range(count)]
    ends = [round(i * len(cores) / count) for i in range(count + 1)]
    return [list(cores[ends[i] : ends[i + 1]]) for i in range(count)]

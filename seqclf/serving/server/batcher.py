"""`Batcher`: requests that wait at the same time are served by one run of the model.

A request runs at once if a thread is free. While all threads are busy, requests for the same
version and signature gather, and the next free thread takes as many as fit into one batch. So no
request waits for others that may not come, and a busy server has large batches.

Requests of different shapes, sequences of different lengths for instance, share a batch where they
would do so in TensorFlow Serving: if the version has batching parameters. Such a batch is padded or
refused, as the parameters say.
"""

import asyncio
import collections
import dataclasses
import functools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from seqclf.serving.batching import MAX_BATCH_SIZE, MAX_ENQUEUED_BATCHES
from seqclf.serving.server.batch_shapes import concatenate_padded, shapes_fault
from seqclf.serving.server.fault import Fault, invalid
from seqclf.serving.server.model import ServedModel
from seqclf.serving.server.tensors import TensorMap


@dataclasses.dataclass
class _Task:
    """One request that waits.

    Attributes:
        size: number of its examples.
        inputs: its inputs, each with the batch as first dimension.
        result: receives the outputs, or a Fault.
    """

    size: int
    inputs: TensorMap
    result: asyncio.Future[TensorMap]


class Batcher:
    """Runs models for an event loop.

    Args:
        threads: number of batches that run at the same time.
        max_batch: largest number of examples in one batch, and so in one request.
        max_waiting: largest number of examples that may wait.
    """

    def __init__(
        self,
        threads: int,
        max_batch: int = MAX_BATCH_SIZE,
        max_waiting: int = MAX_BATCH_SIZE * MAX_ENQUEUED_BATCHES,
    ):
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="model")
        self._free_threads = threads
        self._max_batch = max_batch
        self._max_waiting = max_waiting
        self._waiting = 0
        # (version, signature, shapes or None) → the tasks that may share a batch. The queue whose
        # first task came first is served first.
        self._queues: collections.OrderedDict[Any, collections.deque[_Task]] = (
            collections.OrderedDict()
        )

    async def run(self, model: ServedModel, signature: str, inputs: TensorMap) -> TensorMap:
        """Runs a signature, in one batch with other requests that wait for it.

        Args:
            model: the version.
            signature: name of the signature.
            inputs: arrays by name, each with the batch as first dimension.

        Returns:
            The outputs by name.

        Raises:
            Fault: the inputs do not fit the signature, there are more than `max_batch` examples,
                or too many examples wait already.
        """
        size = model.check_inputs(signature, inputs)
        if not size and model.batching is not None:
            raise invalid(
                "There are no examples. TensorFlow Serving would not answer such a request while "
                "batching is on."
            )
        if size > self._max_batch:
            raise invalid(
                f"A batch of {size} examples is larger than the maximum, {self._max_batch}: send "
                "it in parts."
            )
        if self._waiting + size > self._max_waiting:
            raise Fault("UNAVAILABLE", "The batch scheduling queue is full: try again later.")
        shapes = _shapes(inputs) if model.batching is None else None
        task = _Task(size, inputs, asyncio.get_running_loop().create_future())
        self._queues.setdefault((model, signature, shapes), collections.deque()).append(task)
        self._waiting += size
        self._dispatch()
        return await task.result

    def close(self) -> None:
        """Waits for the batches that run, then ends the threads."""
        self._pool.shutdown(wait=True)

    def _dispatch(self) -> None:
        """Starts a batch on each free thread as long as there are tasks."""
        while self._free_threads and self._queues:
            key, tasks = self._next_batch()
            tasks = [task for task in tasks if not task.result.done()]  # not those given up
            if not tasks:
                continue
            self._free_threads -= 1
            model, signature, _ = key
            loop = asyncio.get_running_loop()
            running = loop.run_in_executor(self._pool, _run_batch, model, signature, tasks)
            running.add_done_callback(functools.partial(self._finish, tasks))

    def _next_batch(self) -> tuple[Any, list[_Task]]:
        """Takes the tasks of the next batch, and their key, from the queues."""
        key, queue = self._queues.popitem(last=False)
        tasks = [queue.popleft()]
        while queue and sum(t.size for t in tasks) + queue[0].size <= self._max_batch:
            tasks.append(queue.popleft())
        if queue:
            self._queues[key] = queue  # behind the others: each signature has its turn
        self._waiting -= sum(task.size for task in tasks)
        return key, tasks

    def _finish(self, tasks: list[_Task], done: asyncio.Future[list[TensorMap | Fault]]) -> None:
        """Gives each task of a batch its outputs, then starts the next batch."""
        self._free_threads += 1
        error = done.exception()
        for i, task in enumerate(tasks):
            if task.result.done():
                continue
            result = error or done.result()[i]
            if isinstance(result, BaseException):
                task.result.set_exception(result)
            else:
                task.result.set_result(result)
        self._dispatch()


def _run_batch(model: ServedModel, signature: str, tasks: list[_Task]) -> list[TensorMap | Fault]:
    """Runs tasks as one batch; if that fails, each alone, so that one cannot spoil the others."""
    if len(tasks) == 1:
        return [_run_alone(model, signature, tasks[0])]
    if fault := _shapes_fault(model, signature, [task.inputs for task in tasks]):
        return [fault] * len(tasks)
    try:
        outputs = model.run(signature, concatenate_padded([task.inputs for task in tasks]))
    except Fault:
        return [_run_alone(model, signature, task) for task in tasks]
    ends = np.cumsum([task.size for task in tasks])
    if any(value.ndim == 0 or len(value) != ends[-1] for value in outputs.values()):
        # The model cannot be batched: an output does not have the batch as first dimension.
        return [_run_alone(model, signature, task) for task in tasks]
    return [
        {name: value[end - task.size : end] for name, value in outputs.items()}
        for task, end in zip(tasks, ends, strict=True)
    ]


def _run_alone(model: ServedModel, signature: str, task: _Task) -> TensorMap | Fault:
    try:
        return model.run(signature, task.inputs)
    except Fault as fault:
        return fault


def _shapes(inputs: TensorMap) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Returns the shape of one example, by the name of the input."""
    return tuple(sorted((name, array.shape[1:]) for name, array in inputs.items()))


def _shapes_fault(model: ServedModel, signature: str, parts: list[TensorMap]) -> Fault | None:
    """Returns the fault of a batch whose shapes differ and must not be padded, or None."""
    if model.batching is None or model.batching.pads:
        return None
    first = dict(_shapes(parts[0]))
    for part in parts[1:]:
        for name, shape in _shapes(part):
            if shape != first[name]:
                return shapes_fault(model.tensor_name(signature, name))
    return None

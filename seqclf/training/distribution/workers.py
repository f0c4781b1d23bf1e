"""`Workers`: the devices and processes that share a training, and what they tell each other."""

import contextlib
import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from seqclf.errors import SeqclfError, WorkerLostError
from seqclf.training.distribution.cluster import Cluster

# What TensorFlow raises where a peer is gone, has restarted or does not answer in time.
LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.FailedPreconditionError,
    tf.errors.InternalError,
)
SEED_STATE = "seed_generator_state"  # Keras's name of it
PEER = re.compile(r"/job:worker(?:/replica:\d+)?/task:(\d+)")
# The line of a message that says what happened; others say where in the graph.
REASON = re.compile(r"heartbeat|reset by peer|refused|closed|unavailable|deadline|timed out", re.I)
STRIDE = 1_000_003  # between the seeds of replicas; a prime, so that sums of seeds seldom meet


class Workers:
    """Those who share a training.

    A *worker* is a process; it has one *replica* of the model on each of its devices. All of them
    take every step together, each on its part of the batch, and add up their gradients.

    Attributes:
        count: number of workers W.
        index: of this process, from 0; 0 is the chief, which alone writes.
        replicas: number of replicas R, of all workers together.
    """

    def __init__(
        self, strategy: tf.distribute.Strategy | None = None, cluster: Cluster | None = None
    ):
        self._strategy = strategy
        self.count = len(cluster.addresses) if cluster else 1
        self.index = cluster.index if cluster else 0
        self._addresses = cluster.addresses if cluster else ()
        self.replicas = strategy.num_replicas_in_sync if strategy else 1
        self._local = self.replicas // self.count

    @property
    def is_chief(self) -> bool:
        return self.index == 0

    @property
    def alone(self) -> bool:
        """Whether there is one replica and no more."""
        return self.replicas == 1

    def in_words(self) -> str:
        """Returns what they are, for people."""
        devices = f", {self._local} devices each" if self._local > 1 and self.count > 1 else ""
        if self.count == 1:
            return f"{self.replicas} devices share each batch"
        return f"{self.count} processes share each batch{devices}"

    def scope(self) -> AbstractContextManager[Any]:
        """Variables that are made inside of it exist once on each device, with the same values."""
        return self._strategy.scope() if self._strategy else contextlib.nullcontext()

    def run(self, function: Callable, *arguments: Any) -> Any:
        """Calls a function once on each device of this process; inside, see `sum` and `part`."""
        return self._strategy.run(function, arguments) if self._strategy else function(*arguments)

    def any_of(self, results: Any) -> Any:
        """Returns one replica's results of `run`, where all have the same."""
        if not self._strategy:
            return results
        first = self._strategy.experimental_local_results
        return tf.nest.map_structure(lambda each: first(each)[0], results)

    def sum(self, tensors: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """Inside `run`: returns the sums over all replicas."""
        if self.alone:
            return list(tensors)
        # The result of a compiled function has no device until something is done with it.
        placed = [tf.identity(tensor) for tensor in tensors]
        return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, placed)

    def gather(self, tensor: tf.Tensor) -> tf.Tensor:
        """Inside `run`: returns all replicas' numbers, one replica's after the other's."""
        if self.alone:
            return tensor
        return tf.distribute.get_replica_context().all_gather(tf.identity(tensor), axis=0)

    def part(self, batch: Any, of_all: bool) -> Any:
        """Inside `run`: returns this replica's part of a batch.

        Args:
            batch: a structure of tensors with one first axis, divisible by the number of parts.
            of_all: whether `batch` is that of all workers, or only this one's.
        """
        parts = self.replicas if of_all else self._local
        if parts == 1:
            return batch
        place = tf.distribute.get_replica_context().replica_id_in_sync_group
        if not of_all:
            place -= self.index * self._local

        def cut(tensor: tf.Tensor) -> tf.Tensor:
            rows, *rest = tensor.shape
            return tf.gather(tf.reshape(tensor, [parts, rows // parts, *rest]), place)

        return tf.nest.map_structure(cut, batch)

    def total(self, array: np.ndarray) -> np.ndarray:
        """Returns the sum of all workers' arrays, which have one shape; every worker calls it."""
        if self.count == 1:
            return array
        with self.watch():
            return np.asarray(self._total(tf.constant(array)))

    @tf.function(reduce_retracing=True)
    def _total(self, value: tf.Tensor) -> tf.Tensor:
        def of_worker() -> tf.Tensor:
            context = tf.distribute.get_replica_context()
            first = context.replica_id_in_sync_group == self.index * self._local
            (result,) = self.sum([value * tf.cast(first, value.dtype)])
            return result

        return self.any_of(self.run(of_worker))

    def exchange(self, content: Any) -> list[Any]:
        """Returns what each worker gave, by index; every worker calls it.

        Args:
            content: what JSON can hold.
        """
        if self.count == 1:
            return [content]
        parts = self._exchange_bytes(json.dumps(content).encode())
        return [json.loads(part) for part in parts]

    def agree(self, prepare: Callable[[], Any]) -> Any:
        """Does what each worker must do for itself, and ends all of them if it fails on one.

        Raises:
            SeqclfError: this worker's own, or one that says which worker failed and why.
        """
        failure: SeqclfError | None = None
        result = None
        try:
            result = prepare()
        except SeqclfError as error:
            failure = error
        said = self.exchange(str(failure) if failure else None)
        if failure:
            raise failure
        for index, words in enumerate(said):
            if words is not None:
                raise SeqclfError(f"Worker {index} of {self.count} cannot begin: {words}")
        return result

    def follow_chief(self, variables: Sequence[keras.Variable], state: Any) -> Any:
        """Gives every worker the chief's variables, and returns the chief's state.

        Args:
            variables: in the same order on every worker.
            state: the chief's, as JSON can hold it; what others give is not looked at.
        """
        if self.count > 1:
            payload = _packed([np.asarray(variable) for variable in variables], state)
            arrays, state = _unpacked(self._exchange_bytes(payload if self.is_chief else b"")[0])
            if not self.is_chief:
                for variable, array in zip(variables, arrays, strict=True):
                    variable.assign(array)
        if self._strategy:
            self._draw_apart(variables)
        return state

    def copies(self, variable: keras.Variable) -> tuple[tf.Variable, ...]:
        """Returns a variable's copies on this worker's devices."""
        return self._strategy.experimental_local_results(variable.value) if self._strategy else ()

    def _draw_apart(self, variables: Sequence[keras.Variable]) -> None:
        """Gives each replica random numbers of its own: the same dropout on each would be less."""
        for variable in variables:
            if variable.name != SEED_STATE:
                continue
            chief = np.asarray(variable)
            for i, copy in enumerate(self.copies(variable)):
                offset = np.array([(self.index * self._local + i) * STRIDE, 0], chief.dtype)
                copy.assign(chief + offset)

    def _exchange_bytes(self, content: bytes) -> list[bytes]:
        lengths = np.zeros(self.count, np.int64)
        lengths[self.index] = len(content)
        lengths = self.total(lengths)
        # As int32, which collectives can add; every byte comes from one worker, zeros from others.
        room = np.zeros(-(-int(lengths.sum()) // 4) * 4, np.uint8)
        start = int(lengths[: self.index].sum())
        room[start : start + len(content)] = np.frombuffer(content, np.uint8)
        joined = self.total(room.view(np.int32)).tobytes()
        ends = lengths.cumsum()
        return [joined[end - length : end] for end, length in zip(ends, lengths, strict=True)]

    @contextlib.contextmanager
    def watch(self) -> Iterator[None]:
        """Turns what TensorFlow raises where a worker is gone into one error.

        Raises:
            WorkerLostError: a worker is gone.
        """
        try:
            yield
        except LOST as error:
            if self.count == 1:
                raise
            raise WorkerLostError(self._loss_in_words(str(error.message))) from error

    def _loss_in_words(self, message: str) -> str:
        peers = {int(index) for index in PEER.findall(message)} - {self.index}
        named = [f"{i} ({self._addresses[i]})" for i in sorted(peers) if i < self.count]
        lost = f"worker {', '.join(named)}" if named else "another worker"
        reasons = [line.strip() for line in message.splitlines() if REASON.search(line)]
        reason = f" ({reasons[0][:200]})" if reasons else ""
        return f"Worker {self.index} of {self.count} has lost {lost}{reason}."


def _packed(arrays: list[np.ndarray], state: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **{f"{i:06d}": array for i, array in enumerate(arrays)})
    return json.dumps(state).encode() + b"\n" + file.getvalue()


def _unpacked(content: bytes) -> tuple[list[np.ndarray], Any]:
    state, _, arrays = content.partition(b"\n")
    with np.load(io.BytesIO(arrays), allow_pickle=False) as archive:
        return [archive[name] for name in sorted(archive.files)], json.loads(state)

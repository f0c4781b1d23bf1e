"""`Workers`: the processes and devices of one training, and what they exchange."""

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
from seqclf.layers.compiled import compiled
from seqclf.training.distribution.cluster import Cluster

# The errors that TensorFlow raises where a peer is gone, has restarted or does not answer in time.
LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.FailedPreconditionError,
    tf.errors.InternalError,
)
SEED_STATE = "seed_generator_state"  # Keras's name for the state of a seed generator
PEER = re.compile(r"/job:worker(?:/replica:\d+)?/task:(\d+)")
# Tells the line of a message that says what happened from those that say where in the graph.
REASON = re.compile(r"heartbeat|reset by peer|refused|closed|unavailable|deadline|timed out", re.I)
# Distance between the seeds of replicas: a prime, so that sums of seeds are seldom equal.
SEED_STRIDE = 1_000_003


class Workers:
    """The workers of one training, as one of them sees them.

    A *worker* is a process; it has one *replica* of the model on each of its devices. All workers
    take every step together, each on its part of the batch, and add up their gradients.

    Args:
        strategy: the strategy that was made for this process; None: one replica trains alone.
        cluster: the addresses of all workers, and which of them this process is; None: this process
            is the only worker.

    Attributes:
        count: number of workers W.
        index: number of this worker, from 0; 0 is the chief, which alone writes files.
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
        self._local_replicas = self.replicas // self.count
        self._summed = compiled(self._sum_one_value, reduce_retracing=True)

    @property
    def is_chief(self) -> bool:
        """Whether this worker is the chief."""
        return self.index == 0

    @property
    def alone(self) -> bool:
        """Whether there is only one replica."""
        return self.replicas == 1

    def in_words(self) -> str:
        """Returns how the batch is divided, for people."""
        local = self._local_replicas
        devices = f", {local} devices each" if local > 1 and self.count > 1 else ""
        if self.count == 1:
            return f"{self.replicas} devices share each batch"
        return f"{self.count} processes share each batch{devices}"

    def scope(self) -> AbstractContextManager[Any]:
        """Returns a context in which a new variable exists once on each device, with one value."""
        return self._strategy.scope() if self._strategy else contextlib.nullcontext()

    def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Calls a function once on each device of this process, and returns the results.

        Inside the function the replicas exchange tensors by `rows_of_replica`,
        `sum_over_replicas` and `gather_from_replicas`.
        """
        return self._strategy.run(function, arguments) if self._strategy else function(*arguments)

    def first_replica(self, results: Any) -> Any:
        """Returns one replica's results of `run`, for results that are the same on all."""
        if not self._strategy:
            return results
        local_results = self._strategy.experimental_local_results
        return tf.nest.map_structure(lambda result: local_results(result)[0], results)

    def sum_over_replicas(self, tensors: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """Returns the sums of tensors over all replicas; to be called inside `run`."""
        if self.alone:
            return list(tensors)
        # The result of a compiled function has no device until something is done with it.
        placed = [tf.identity(tensor) for tensor in tensors]
        context = tf.distribute.get_replica_context()
        return list(context.all_reduce(tf.distribute.ReduceOp.SUM, placed))

    def gather_from_replicas(self, tensor: tf.Tensor) -> tf.Tensor:
        """Returns the rows of all replicas, in their order; to be called inside `run`."""
        if self.alone:
            return tensor
        return tf.distribute.get_replica_context().all_gather(tf.identity(tensor), axis=0)

    def rows_of_replica(self, batch: Any, of_all_workers: bool) -> Any:
        """Returns the rows of a batch that this replica works on; to be called inside `run`.

        Args:
            batch: a structure of tensors with one first axis, divisible by the number of replicas
                that divide it.
            of_all_workers: True: the batch is the whole one, which the replicas of all workers
                divide. False: it holds this worker's rows, which its own replicas divide.
        """
        replicas = self.replicas if of_all_workers else self._local_replicas
        if replicas == 1:
            return batch
        place = tf.distribute.get_replica_context().replica_id_in_sync_group
        if not of_all_workers:
            place -= self.index * self._local_replicas

        def own_rows(tensor: tf.Tensor) -> tf.Tensor:
            rows, *rest = tensor.shape
            return tf.gather(tf.reshape(tensor, [replicas, rows // replicas, *rest]), place)

        return tf.nest.map_structure(own_rows, batch)

    def sum_over_workers(self, array: np.ndarray) -> np.ndarray:
        """Returns the sum of all workers' arrays, which have one shape; every worker calls it."""
        if self.count == 1:
            return array
        with self.watch():
            return np.asarray(self._summed(tf.constant(array)))

    def _sum_one_value(self, value: tf.Tensor) -> tf.Tensor:
        def counted_once() -> tf.Tensor:
            context = tf.distribute.get_replica_context()
            first = context.replica_id_in_sync_group == self.index * self._local_replicas
            (result,) = self.sum_over_replicas([value * tf.cast(first, value.dtype)])
            return result

        return self.first_replica(self.run(counted_once))

    def exchange(self, content: Any) -> list[Any]:
        """Returns the contents that the workers gave, by index; every worker calls it.

        Args:
            content: anything that JSON can hold.
        """
        if self.count == 1:
            return [content]
        parts = self._exchange_bytes(json.dumps(content).encode())
        return [json.loads(part) for part in parts]

    def agree(self, prepare: Callable[[], Any]) -> Any:
        """Calls a function on every worker, and ends all workers if it fails on one of them.

        Args:
            prepare: does something that each worker must do for itself.

        Returns:
            The result of this worker's call.

        Raises:
            SeqclfError: the error of this worker's call, or one that says which worker failed and
                why.
        """
        failure: SeqclfError | None = None
        result = None
        try:
            result = prepare()
        except SeqclfError as error:
            failure = error
        messages = self.exchange(str(failure) if failure else None)
        if failure:
            raise failure
        for index, message in enumerate(messages):
            if message is not None:
                raise SeqclfError(f"Worker {index} of {self.count} cannot begin: {message}")
        return result

    def follow_chief(self, variables: Sequence[keras.Variable], state: Any) -> Any:
        """Gives every worker the chief's variables, and returns the chief's state.

        Args:
            variables: the same variables in the same order on every worker.
            state: the chief's state, anything that JSON can hold; the other workers' is ignored.
        """
        if self.count > 1:
            payload = _packed([np.asarray(variable) for variable in variables], state)
            arrays, state = _unpacked(self._exchange_bytes(payload if self.is_chief else b"")[0])
            if not self.is_chief:
                for variable, array in zip(variables, arrays, strict=True):
                    variable.assign(array)
        if self._strategy:
            self._give_replicas_own_seeds(variables)
        return state

    def copies(self, variable: keras.Variable) -> tuple[tf.Variable, ...]:
        """Returns the copies of a variable on this worker's devices."""
        if not self._strategy:
            return ()
        return tuple(self._strategy.experimental_local_results(variable.value))

    def _give_replicas_own_seeds(self, variables: Sequence[keras.Variable]) -> None:
        """Gives each replica random numbers of its own: equal masks on all would drop out less."""
        for variable in variables:
            if variable.name != SEED_STATE:
                continue
            chief = np.asarray(variable)
            for i, copy in enumerate(self.copies(variable)):
                offset = np.array(
                    [(self.index * self._local_replicas + i) * SEED_STRIDE, 0], chief.dtype
                )
                copy.assign(chief + offset)

    def _exchange_bytes(self, content: bytes) -> list[bytes]:
        lengths = np.zeros(self.count, np.int64)
        lengths[self.index] = len(content)
        lengths = self.sum_over_workers(lengths)
        # Collectives can add int32. Every byte comes from one worker, the others add zeros to it.
        room = np.zeros(-(-int(lengths.sum()) // 4) * 4, np.uint8)
        start = int(lengths[: self.index].sum())
        room[start : start + len(content)] = np.frombuffer(content, np.uint8)
        joined = self.sum_over_workers(room.view(np.int32)).tobytes()
        ends = lengths.cumsum()
        return [joined[end - length : end] for end, length in zip(ends, lengths, strict=True)]

    @contextlib.contextmanager
    def watch(self) -> Iterator[None]:
        """Turns TensorFlow's errors about a worker that is gone into one error of ours.

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

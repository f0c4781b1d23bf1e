"""`TextSplit`: one part of a text, cut into windows of tokens for training."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import tensorflow as tf

from seqclf.data.split import ExampleTensors, Split

OFFSET_STREAM = -2  # stands in the place of the epoch: random numbers of their own


@dataclass(frozen=True)
class TextSplit:
    """A contiguous part of a text; an `ExampleStore` whose examples are windows of T tokens.

    The labels of a window are its tokens shifted by one: at each time step the token that comes
    next. Each epoch begins at another token, drawn from 0 to T - 1, so that the ends of the windows
    are not always at the same places.

    Attributes:
        tokens: int32 `[M]`, the indices of the tokens.
        window: T, the number of time steps of a window.
        consecutive: whether row b of a batch goes on where row b of the batch before ended.
        before: int32 `[C]`, the tokens that stand before this part in the text. They are read, and
            not scored, when the part is scored.
    """

    tokens: np.ndarray
    window: int
    consecutive: bool = True
    before: np.ndarray = field(default_factory=lambda: np.zeros([0], np.int32))

    @property
    def labels(self) -> np.ndarray:
        """The label of each time step of each window, int32 `[N, T]`."""
        return self.take(np.arange(len(self))).y

    def __len__(self) -> int:
        return max(0, (len(self.tokens) - 1) // self.window)

    def take(self, indices: np.ndarray) -> Split:
        """Returns windows as examples in memory: x and y, int32 `[n, T]`."""
        starts = np.asarray(indices, np.int64)[:, None] * self.window
        places = starts + np.arange(self.window)
        return Split(self.tokens[places], self.tokens[places + 1])

    def epoch_examples(self, batch_size: int) -> int:
        """Returns the number of windows of an epoch, whatever its offset is."""
        usable = len(self.tokens) - self.window  # less the largest offset and the last label
        windows = max(0, usable // self.window)
        if not self.consecutive or batch_size > windows:
            return windows
        return usable // (batch_size * self.window) * batch_size  # rows of one length

    def epoch_steps(self, batch_size: int) -> int:
        """Returns the number of batches of an epoch."""
        return self.epoch_examples(batch_size) // batch_size

    def shuffled(
        self, batch_size: int, seed: int, first_step: int, worker: int, workers: int
    ) -> tf.data.Dataset:
        """Returns references, int64 `[B/W, 2]`: the first token of a window, whether it goes on.

        See `ExampleStore.shuffled`. A window goes on, 1, if the state after the window of the batch
        before, in the same row, is the state before it; otherwise, 0, the state is zero.
        """
        steps, window, count = self.epoch_steps(batch_size), self.window, len(self.tokens)
        first_epoch, position = divmod(first_step, steps)
        rows = slice(worker * batch_size // workers, (worker + 1) * batch_size // workers)
        consecutive = self.consecutive

        @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]  # no types
        def epoch_starts(epoch: tf.Tensor) -> tf.data.Dataset:
            stream = tf.stack([tf.constant(seed, tf.int64), epoch])
            key = tf.random.experimental.stateless_fold_in(stream, OFFSET_STREAM)
            offset = tf.random.stateless_uniform([], key, 0, window, tf.int64)
            if consecutive:
                length = steps * window  # of the text of a row
                starts = tf.range(batch_size, dtype=tf.int64)[None] * length  # [1, B]
                starts += tf.range(steps, dtype=tf.int64)[:, None] * window  # [steps, B]
                goes_on = tf.cast(tf.range(steps) > 0, tf.int64)[:, None]
            else:
                windows = (count - window) // window
                keys = tf.random.stateless_uniform([windows], stream, None, None, tf.int64)
                order = tf.argsort(keys, stable=True)[: steps * batch_size]
                starts = tf.cast(tf.reshape(order, [steps, batch_size]), tf.int64) * window
                goes_on = tf.zeros([steps, 1], tf.int64)
            starts += offset
            pairs = tf.stack([starts, tf.broadcast_to(goes_on, tf.shape(starts))], axis=-1)
            skipped = tf.where(epoch == first_epoch, tf.constant(position, tf.int64), 0)
            return tf.data.Dataset.from_tensor_slices(pairs[:, rows]).skip(skipped)

        epochs = tf.data.Dataset.range(first_epoch, np.iinfo(np.int64).max)
        return epochs.flat_map(epoch_starts)

    def ordered(self, batch_size: int, first: int, count: int) -> tf.data.Dataset:
        """Returns references to windows in order; see `ExampleStore.ordered`."""
        starts = tf.data.Dataset.range(first, first + count).batch(batch_size)
        window = self.window
        return starts.map(lambda i: tf.stack([i * window, tf.zeros_like(i)], axis=-1))

    def batch_reader(self) -> Callable[[tf.Tensor], ExampleTensors]:
        """Returns the function that reads windows: x int32 `[B, T]`, y `[B, T]`, goes on `[B]`."""
        with tf.device("cpu:0"):
            tokens = tf.constant(self.tokens)
        window = self.window

        def gather(references: tf.Tensor) -> ExampleTensors:
            places = references[:, :1] + tf.range(window + 1, dtype=tf.int64)
            read = tf.gather(tokens, places)  # [B, T + 1]
            return read[:, :-1], read[:, 1:], tf.cast(references[:, 1], tf.int32)

        return gather

    def watched(self, batches: tf.data.Dataset) -> tf.data.Dataset:
        return batches

    def update(self, digest: "hashlib._Hash", name: str) -> None:
        digest.update(f"{name} text {len(self.tokens)} {self.window}".encode())
        digest.update(np.ascontiguousarray(self.tokens).data)

"""`TextScorer`: scores a language model on a part of a text, every token once.

The part is read in rows of up to `PIECE` tokens, side by side. Each row begins `CONTEXT` tokens
earlier, which are read and not scored, so that its first tokens are predicted with something known.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from seqclf.data.dataset import DatasetSpec
from seqclf.data.pipeline import worker_part
from seqclf.data.text.source import CONTEXT
from seqclf.data.text.split import TextSplit
from seqclf.data.text.token_spec import characters_of
from seqclf.layers.compiled import compiled
from seqclf.layers.execution import execution
from seqclf.training.distribution.workers import Workers
from seqclf.training.native import predicts_natively

PIECE = 1024  # scored tokens of a row
MOST_LOGITS = 2**24  # of a batch of rows: 64 MiB


@dataclass(frozen=True)
class TextScore:
    """How well a language model predicts a part of a text.

    Attributes:
        log_probabilities: float32 `[M]`, the natural logarithm of the probability that the model
            gave to each token before it read it.
        right: bool `[M]`, whether the token was the most probable one.
        characters: number of characters of the M tokens, written as text.
    """

    log_probabilities: np.ndarray
    right: np.ndarray
    characters: int

    @property
    def loss(self) -> float:
        """The mean cross-entropy of a token in nats."""
        return float(-self.log_probabilities.mean(dtype=np.float64))

    @property
    def accuracy(self) -> float:
        """The fraction of the tokens that were the most probable one."""
        return float(self.right.mean())

    @property
    def perplexity(self) -> float:
        """E to the power of the loss: among so many equally probable tokens one would guess."""
        return math.exp(min(self.loss, 700.0))

    @property
    def bits_per_token(self) -> float:
        """The mean cross-entropy of a token in bits."""
        return self.loss / math.log(2)

    @property
    def bits_per_character(self) -> float:
        """The cross-entropy in bits, by the number of characters."""
        return self.bits_per_token * len(self.right) / max(1, self.characters)


class TextScorer:
    """Scores one language model. Its compiled prediction is kept from one call to the next.

    Args:
        model: a language model.
        spec: the spec of the text.
        workers: the workers that divide the rows; each of them calls the scorer, and each gets the
            whole score. None: this process scores alone.
        native: whether recurrent layers take the native operations where they can.
    """

    def __init__(
        self,
        model: keras.Model,
        spec: DatasetSpec,
        workers: Workers | None = None,
        native: bool = True,
    ):
        self._model, self._spec = model, spec
        self._native = native and predicts_natively(model)
        self._workers = workers or Workers()
        self._predict = compiled(self._log_probabilities, reduce_retracing=True)
        self._characters = np.array(characters_of(spec.class_names), np.int64)

    def __call__(
        self, split: TextSplit, progress: Callable[[int, int], None] = lambda done, total: None
    ) -> TextScore:
        """Returns the score of the model on a part of a text.

        Args:
            split: the part. Its first token is scored only if tokens stand before it.
            progress: called after each batch with the number of tokens that this worker has scored
                and the number that it will score in all.
        """
        text = np.concatenate([split.before, split.tokens]).astype(np.int32)
        first = max(1, len(split.before))  # the first token that is scored
        count = len(text) - first
        rows = worker_part(-(-count // PIECE), self._workers.index, self._workers.count)
        logs, right = np.zeros(count, np.float32), np.zeros(count, np.float32)
        done, total = 0, min(count, rows.stop * PIECE) - min(count, rows.start * PIECE)
        for places, inputs, targets in self._batches(text, first, rows):
            found_logs, found_right = self._predict(inputs, targets)
            scored = places >= 0
            logs[places[scored]] = found_logs.numpy()[scored]
            right[places[scored]] = found_right.numpy()[scored]
            done += int(scored.sum())
            progress(done, total)
        logs, right = map(self._workers.sum_over_workers, (logs, right))
        separators = (count - 1) * len(self._spec.tokens.separator) if self._spec.tokens else 0
        characters = int(self._characters[text[first:]].sum()) + separators
        return TextScore(logs, right > 0, characters)

    def _batches(
        self, text: np.ndarray, first: int, rows: range
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Returns for each batch the places of its scores (-1: none), inputs and targets.

        All are `[rows, steps]`. Rows are filled up at their end, where nothing is scored.
        """
        steps = CONTEXT + PIECE
        batch = max(1, MOST_LOGITS // (steps * self._spec.num_classes))
        for begin in range(rows.start, rows.stop, batch):
            numbers = np.arange(begin, min(begin + batch, rows.stop))
            starts = np.maximum(0, first + numbers * PIECE - 1 - CONTEXT)[:, None]
            at = starts + np.arange(steps)  # [rows, steps], of the inputs
            places = at + 1 - first
            own = (places >= numbers[:, None] * PIECE) & (places < (numbers[:, None] + 1) * PIECE)
            own &= at + 1 < len(text)
            last = len(text) - 1
            yield (
                np.where(own, places, -1),
                text[np.minimum(at, last)],
                text[np.minimum(at + 1, last)],
            )

    def _log_probabilities(
        self, inputs: tf.Tensor, targets: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        with execution(native=self._native, gradient=False):
            logits = self._model(inputs, training=False)  # [rows, steps, V]
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=logits)
        right = tf.argmax(logits, axis=-1, output_type=tf.int32) == targets
        return -losses, tf.cast(right, tf.float32)

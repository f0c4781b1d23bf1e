"""`GraphModel`: the graphs of a language model that its signatures share."""

from typing import Any

import keras
import tensorflow as tf
from tensorflow import Tensor

from seqclf.layers.compiled import compiled
from seqclf.layers.execution import execution
from seqclf.models.language_model import advance, trace_text, zero_state

MOST_LOGITS = 2**22  # that are computed at once: 16 MiB


class GraphModel:
    """A language model, of TensorFlow operations that need neither XLA nor a GPU.

    Args:
        model: a model of `build_language_model`.
        size: V, the size of its vocabulary.

    Attributes:
        widths: H, the width of each state, first to last.
        read: reads texts from the zero state on, see `_read`.
        advance: reads one token of each text, see `_advance`.
        trace: does the same and gives the gates as well, see `_trace`.
    """

    def __init__(self, model: keras.Model, size: int):
        self._model, self._size = model, size
        self.widths = [each.shape[1] for each in zero_state(model, 1)]
        states = [tf.TensorSpec([None, width]) for width in self.widths]
        ids, row = tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None], tf.int32)
        # One graph for all signatures: a copy in each would make the file several times as large.
        self.read = compiled(self._read, input_signature=[ids, row])
        self.advance = compiled(self._advance, input_signature=[row, states])
        self.trace = compiled(self._trace, input_signature=[row, states])

    @property
    def loop_shapes(self) -> tuple[Any, ...]:
        """The shapes in a loop of a counter, probabilities `[N, V]`, the states, and an array."""
        states = [tf.TensorShape([None, width]) for width in self.widths]
        probabilities = tf.TensorShape([None, self._size])
        return tf.TensorShape([]), probabilities, states, tf.TensorShape(None)

    def _read(self, ids: Tensor, counts: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Reads texts from the zero state on, piece by piece.

        Args:
            ids: int32 `[N, T]`.
            counts: int32 `[N]`, how many of them are read, 1 at least.

        Returns:
            The logarithm of the probability of each token, float32 `[N, T]` (0 for the first one);
            the probabilities after the last token that is read, float32 `[N, V]`; and the states.
        """
        rows, total = tf.shape(ids)[0], tf.shape(ids)[1]
        piece = tf.maximum(1, tf.minimum(MOST_LOGITS // (tf.maximum(rows, 1) * self._size), total))
        pieces = (total + piece - 1) // piece
        filled = tf.pad(ids, [[0, 0], [0, pieces * piece + 1 - total]])

        def read(number: Tensor, last: Tensor, states: list[Tensor], logs: Any) -> tuple[Any, ...]:
            begin = number * piece
            left = counts - begin
            inputs, targets = (filled[:, at : at + piece] for at in (begin, begin + 1))  # [N, P]
            with _plainly(unroll=False):
                valid = tf.range(piece)[None] < left[:, None]
                logits, states = advance(self._model, inputs, states, valid=valid)  # [N, P, V]
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
            at = tf.clip_by_value(left, 1, piece) - 1  # [N], the last time step that is read
            found = tf.nn.softmax(tf.gather(logits, at, batch_dims=1))
            last = tf.where(left[:, None] > 0, found, last)
            return number + 1, last, states, logs.write(number, tf.transpose(-losses))

        zeros = [tf.zeros([rows, width]) for width in self.widths]
        logs = tf.TensorArray(tf.float32, pieces, element_shape=[None, None])
        _, last, states, logs = tf.while_loop(
            lambda number, *_: number < pieces,
            read,
            (tf.constant(0), tf.zeros([rows, self._size]), zeros, logs),
            shape_invariants=self.loop_shapes,
        )
        after = tf.transpose(logs.concat())[:, : total - 1]  # of the tokens from the second one on
        return tf.pad(after, [[0, 0], [1, 0]]), last, states

    def _advance(self, ids: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Reads one token of each text.

        Args:
            ids: int32 `[N]`.
            states: float32 `[N, H]` each.

        Returns:
            The probabilities of the next token, float32 `[N, V]`, and the states.
        """
        with _plainly(unroll=True):
            logits, after = advance(self._model, ids[:, None], states)  # [N, 1, V]
        return tf.nn.softmax(logits[:, 0]), after

    def _trace(
        self, ids: Tensor, states: list[Tensor]
    ) -> tuple[Tensor, list[Tensor], list[dict[str, Tensor]]]:
        """Reads one token of each text, and keeps the gates.

        Args:
            ids: int32 `[N]`.
            states: float32 `[N, H]` each.

        Returns:
            What `_advance` returns, and the gates of each layer by name, float32 `[N, H]` each.
        """
        with _plainly(unroll=True):
            logits, traces = trace_text(self._model, ids[:, None], states)  # [N, 1, V]
        after = [_only_step(each) for layer in traces for each in layer.states.values()]
        gates = [{name: _only_step(each) for name, each in layer.gates.items()} for layer in traces]
        return tf.nn.softmax(logits[:, 0]), after, gates


def _only_step(values: Tensor) -> Tensor:
    """Returns the values `[N, H]` of one time step, given as `[N, 1, H]`."""
    return tf.cast(values[:, 0], tf.float32)


def _plainly(unroll: bool) -> Any:
    """Returns a context for graphs without XLA and cuDNN, which a server may not have."""
    return execution(xla="off", unroll=unroll, shares=1, cudnn=False, gradient=False)

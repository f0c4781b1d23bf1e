"""`GRU`: the Keras layer that reads a whole sequence with a `GRUCell`."""

import logging
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from seqclf.layers import cudnn, fast_path
from seqclf.layers.cells import GRUCell
from seqclf.layers.execution import choose
from seqclf.layers.recurrent import Recurrent

_log = logging.getLogger(__name__)


@keras.saving.register_keras_serializable(package="seqclf")
class GRU(Recurrent):
    """Gated recurrent unit over a sequence, a drop-in for `keras.layers.GRU`.

    Constructor arguments, call arguments, outputs and weights are those of `keras.layers.GRU`, so
    that code and weights (`get_weights`, `set_weights`) move both ways. The equations are in
    `GRUCell`; what differs is in `Recurrent`.

    Where the arguments allow it (tanh and sigmoid, no recurrent dropout in training), the sequence
    is not read by stepping the cell but by `bptt`, whose gradient is derived by hand, or on a GPU
    by cuDNN: the same to rounding, and faster. `path` says which it was; `seqclf.layers.execution`
    overrides how it runs.

    Args:
        units: H, the width of the state.
        activation, recurrent_activation, use_bias, kernel_initializer, recurrent_initializer,
            bias_initializer, kernel_regularizer, recurrent_regularizer, bias_regularizer,
            kernel_constraint, recurrent_constraint, bias_constraint, dropout, recurrent_dropout,
            seed, reset_after, update_gate: see `GRUCell`.
        activity_regularizer: of the output.
        return_sequences: return the state of every step instead of the last one.
        return_state: return the last state as a second output.
        go_backwards: read from the last step to the first; outputs come in that order.
        stateful: start each batch from the last state of the one before.
        unroll: lay the steps out one by one in the graph, instead of a loop.
        use_cudnn: "auto" takes cuDNN's kernel where it can be had, True insists, False never does.
        fast: False always steps the cell, the way that knows every argument and can be
            differentiated twice.
        **kwargs: `zero_output_for_mask`, `name`, `dtype`, `trainable`: see `Recurrent`.

    Call arguments:
        sequences: `[B, T, D]`.
        initial_state: `[B, H]`, alone or in a list; zeros by default.
        mask: bool `[B, T]`; the state passes a step unchanged where it is False.
        training: whether dropout is applied.

    Returns:
        `[B, H]`, or `[B, T, H]` with `return_sequences`; with `return_state` also `[B, H]`.

    Raises:
        ValueError: an argument is out of range, `use_cudnn=True` where cuDNN's kernel cannot be
            had, or inputs that are not `[B, T, D]` with the D that the layer was built with.

    Example:
        >>> layer = GRU(4, return_sequences=True)
        >>> layer(np.ones([2, 5, 3], "float32")).shape
        TensorShape([2, 5, 4])
    """

    cell_class = GRUCell

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: Any = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = True,
        use_cudnn: bool | str = "auto",
        fast: bool = True,
        update_gate: str = "keep",
        **kwargs: Any,
    ):
        if use_cudnn not in ("auto", True, False):
            raise ValueError(
                f"Argument `use_cudnn` must be 'auto', True or False. Received: {use_cudnn!r}"
            )
        super().__init__(
            units,
            activation=activation,
            recurrent_activation=recurrent_activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            reset_after=reset_after,
            update_gate=update_gate,
            **kwargs,
        )
        self.fast = fast
        self.use_cudnn = use_cudnn
        self._path: str | None = None
        if use_cudnn and not self._cudnn_obstacle():
            self.supports_jit = False  # XLA cannot compile cuDNN's kernel
        elif use_cudnn is True:
            raise ValueError(
                f"use_cudnn=True, but cuDNN's kernel cannot be had here: {self._cudnn_obstacle()}. "
                "Give use_cudnn='auto' to use it where it can."
            )

    @property
    def path(self) -> str | None:
        """How the last call (or trace into a `tf.function`) read its sequences, in words.

        It begins with "bptt", "cudnn" or "general"; None before the first call.
        """
        return self._path

    def read_sequences(
        self, sequences: Any, initial_state: list[Any], mask: Any, training: bool
    ) -> tuple[Any, Any, Any]:
        obstacle = self._fast_obstacle(training)
        if obstacle:
            self._note(f"general: the cell, step by step ({obstacle})")
            return super().read_sequences(sequences, initial_state, mask, training)
        return self._fast_loop(sequences, initial_state[0], mask, training)

    def _fast_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: bool
    ) -> tuple[Any, Any, Any]:
        """Does what `read_sequences` does, on a fast path."""
        if initial_state.shape[-1] != self.units:
            raise ValueError(
                f"`initial_state` must have the shape [batch, {self.units}]. "
                f"Received: {tuple(initial_state.shape)}"
            )
        sequences = ops.cast(sequences, self.compute_dtype)
        sequences = tf.ensure_shape(sequences, [None, None, self.cell.kernel.shape[0]])
        if training and self.dropout:
            sequences = sequences * self.cell.get_dropout_mask(sequences[:, 0])[:, None]
        if self.go_backwards:
            sequences = ops.flip(sequences, axis=1)
            mask = None if mask is None else ops.flip(mask, axis=1)
        batch, steps = sequences.shape[:2]
        plan = choose(
            steps=steps,
            batch=batch,
            training=bool(training),
            unroll=self.unroll,
            gpu=cudnn.gpu_visible(),
            cudnn=bool(self.use_cudnn) and not self._cudnn_obstacle(),
        )
        self._note(plan.in_words())
        states = fast_path.read(
            sequences,
            initial_state,
            self.weights_in_compute_dtype(),
            mask,
            reset_after=self.reset_after,
            keep_gates=bool(training),
            plan=plan,
        )  # [T, B, H]
        last_state = states[-1]  # [B, H]
        outputs = states if mask is None else self._masked_outputs(states, ops.transpose(mask))
        last_output = last_state if mask is None else outputs[-1]
        outputs = (
            ops.transpose(outputs, [1, 0, 2]) if self.return_sequences else last_output[:, None]
        )
        return last_output, outputs, [last_state]

    def weights_in_compute_dtype(self) -> list[Any]:
        """Returns kernel, recurrent kernel and, if there is one, bias as tensors."""
        cell = self.cell
        weights = [cell.kernel, cell.recurrent_kernel] + ([cell.bias] if self.use_bias else [])
        return [tf.cast(tf.convert_to_tensor(w), self.compute_dtype) for w in weights]

    def _masked_outputs(self, states: Any, mask: Any) -> Any:
        """Returns what Keras's loop gives at masked steps: 0, or the last output, 0 before any.

        states `[T, B, H]`, mask bool `[T, B]`.
        """
        shown = mask
        if not self.zero_output_for_mask:
            shown = ops.cumsum(ops.cast(mask, "int32"), axis=0) > 0
        return ops.where(shown[..., None], states, ops.zeros_like(states))

    def _fast_obstacle(self, training: bool) -> str:
        """Returns why the general path must be taken, or "" if it need not."""
        reasons = {
            "fast=False": not self.fast,
            f"Keras backend {keras.backend.backend()}": keras.backend.backend() != "tensorflow",
            "activation is not tanh": self.activation is not keras.activations.tanh,
            "recurrent_activation is not sigmoid": (
                self.recurrent_activation is not keras.activations.sigmoid
            ),
            "recurrent_dropout": bool(training and self.recurrent_dropout),
            "update_gate is 'replace'": self.update_gate != "keep",
        }
        return ", ".join(reason for reason, holds in reasons.items() if holds)

    def _cudnn_obstacle(self) -> str:
        """Returns why cuDNN's kernel cannot be taken, or "" if it can."""
        if self.update_gate != "keep":
            return "update_gate is 'replace'"
        return cudnn.obstacle(
            gpu=cudnn.gpu_visible(),
            activation=self.activation,
            recurrent_activation=self.recurrent_activation,
            use_bias=self.use_bias,
            reset_after=self.reset_after,
            recurrent_dropout=self.recurrent_dropout,
            unroll=self.unroll,
            dtype=self.compute_dtype,
        )

    def _note(self, path: str) -> None:
        self._path = path
        _log.debug("%s takes the path %s", self.name, path)

    def get_config(self) -> dict[str, Any]:
        # Only then: configs move to keras.layers.GRU, which knows no `fast`.
        return super().get_config() | ({} if self.fast else {"fast": False})

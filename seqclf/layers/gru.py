"""`GRU`: the layer that runs a `GRUCell` over sequences, on a fast path where it can."""

import logging
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from seqclf.layers import cudnn, fast_path, native
from seqclf.layers.arguments import (
    Activation,
    Constraint,
    Initializer,
    Regularizer,
    passed_on,
)
from seqclf.layers.compiled import xla_around
from seqclf.layers.execution import choose
from seqclf.layers.gru_cell import GRUCell
from seqclf.layers.length_mask import time_major_mask
from seqclf.layers.native.gru import Options
from seqclf.layers.recurrent import Recurrent

_log = logging.getLogger(__name__)


@keras.saving.register_keras_serializable(package="seqclf")
class GRU(Recurrent):
    """Gated recurrent unit over sequences, a drop-in for `keras.layers.GRU`.

    `GRUCell` has the equations, `Recurrent` the differences from Keras. Weights (`get_weights`,
    `set_weights`) and configs move both ways.

    Where the arguments allow it (tanh and sigmoid, no recurrent dropout in training), the layer
    does not step the cell. It takes a fast path: `bptt`, whose gradient is derived by hand, or on a
    GPU cuDNN's kernel. The result is the same to rounding. `path` says which way the last call
    took; `seqclf.layers.execution` overrides how it runs.

    Args:
        units: H, the number of units: the width of the state. A positive integer.
        activation: function of the candidate state; None is the identity. Default: "tanh".
        recurrent_activation: function of the gates; None is the identity. Default: "sigmoid".
        use_bias: whether there is a bias. Default: True.
        kernel_initializer: initialiser of the kernel W. Default: "glorot_uniform".
        recurrent_initializer: initialiser of the recurrent kernel U. Default: "orthogonal".
        bias_initializer: initialiser of the bias. Default: "zeros".
        kernel_regularizer: penalty of the kernel, added to the loss. Default: None.
        recurrent_regularizer: penalty of the recurrent kernel. Default: None.
        bias_regularizer: penalty of the bias. Default: None.
        activity_regularizer: penalty of the output. Default: None.
        kernel_constraint: projection of the kernel after each update. Default: None.
        recurrent_constraint: projection of the recurrent kernel after each update. Default: None.
        bias_constraint: projection of the bias after each update. Default: None.
        dropout: fraction of the inputs that is set to 0 in training, from 0 to below 1. Default: 0.
        recurrent_dropout: fraction of the state that gates and candidate see as 0 in training, from
            0 to below 1. Default: 0.
        seed: seed of the dropout masks; None draws one from Keras's global seed. Default: None.
        return_sequences: whether to return the state of every time step instead of the last one.
            Default: False.
        return_state: whether to return the last state as a second output. Default: False.
        go_backwards: whether to run from the last time step to the first; outputs come in that
            order. Default: False.
        stateful: whether each batch starts from the last state of the batch before. Default: False.
        unroll: whether to lay the time steps out one after another in the graph instead of looping
            over them; T must be known. Default: False.
        reset_after: whether the reset gate is applied after the product with U_h, as in cuDNN and
            PyTorch, or to the state before it, as in the paper. Default: True.
        use_cudnn: "auto" takes cuDNN's kernel on a GPU where its conditions hold, True requires it,
            False never takes it. Default: "auto".
        fast: False always steps the cell, which is slower, takes every argument and can be
            differentiated twice. Default: True.
        update_gate: meaning of z. "keep": the fraction of the state that is kept, as in Keras,
            cuDNN and PyTorch. "replace": the fraction that is replaced, as in half of the
            literature. The models are the same: `convert_update_gate` turns the weights of one into
            those of the other. Default: "keep".
        **kwargs: `zero_output_for_mask` (whether the output of a masked time step is 0 instead of
            the state of the time step before), `name`, `dtype` and `trainable`. `implementation` is
            accepted and has no effect.

    Call arguments:
        sequences: `[B, T, D]`.
        initial_state: h_0 `[B, H]`, in a list or by itself. Default: zeros.
        mask: bool `[B, T]`; the state passes a time step unchanged where it is False. Optional.
        training: whether dropout is applied. Default: False.

    Returns:
        `[B, H]`, or `[B, T, H]` with `return_sequences`; with `return_state` also h_T, `[B, H]`.

    Raises:
        ValueError: `units` is not a positive integer, a fraction of dropout is not from 0 to below
            1, or the inputs are not `[B, T, D]` with the D that the layer was built with; or, at a
            call, `use_cudnn` is True where cuDNN's kernel cannot be taken.

    Example:
        >>> layer = GRU(4, return_sequences=True)
        >>> layer(np.ones([2, 5, 3], "float32")).shape
        TensorShape([2, 5, 4])
    """

    cell_class = GRUCell

    def __init__(
        self,
        units: int,
        activation: Activation = "tanh",
        recurrent_activation: Activation = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Initializer = "glorot_uniform",
        recurrent_initializer: Initializer = "orthogonal",
        bias_initializer: Initializer = "zeros",
        kernel_regularizer: Regularizer = None,
        recurrent_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        activity_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        recurrent_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
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
        super().__init__(**passed_on(locals(), "use_cudnn", "fast"))
        self.fast = fast
        self.use_cudnn = cudnn.checked_choice(use_cudnn)
        self._path: str | None = None
        # XLA can compile neither cuDNN's kernel nor the native operations.
        cudnn_serves = use_cudnn and not self._cudnn_obstacle()
        if cudnn_serves or not self.native_obstacle():
            self.supports_jit = False

    @property
    def path(self) -> str | None:
        """The way in which the last call (or trace into a `tf.function`) ran, in words.

        It begins with "bptt", "cudnn" or "general"; None before the first call.
        """
        return self._path

    def run_loop(
        self, sequences: Any, initial_state: list[Any], mask: Any, training: bool
    ) -> tuple[Any, Any, Any]:
        obstacle = self._fast_obstacle(training)
        if self.use_cudnn is True and (obstacle or self._cudnn_obstacle()):
            raise cudnn.unavailable(self._cudnn_obstacle() or obstacle)
        if obstacle:
            self._record_path(f"general: the cell, step by step ({obstacle})")
            return super().run_loop(sequences, initial_state, mask, training)
        return self._fast_loop(sequences, initial_state[0], mask, training)

    def _fast_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: bool
    ) -> tuple[Any, Any, Any]:
        """Does what `run_loop` does, on a fast path."""
        if initial_state.shape[-1] != self.units:
            raise ValueError(
                f"`initial_state` must have the shape [batch, {self.units}]. "
                f"Received: {tuple(initial_state.shape)}"
            )
        sequences = tf.ensure_shape(sequences, [None, None, self.cell.kernel.shape[0]])
        if training and self.dropout:
            sequences = sequences * self.cell.get_dropout_mask(sequences[:, 0])[:, None]
        if self.go_backwards:
            sequences = ops.flip(sequences, axis=1)
            mask = None if mask is None else ops.flip(mask, axis=1)
        batch, steps = sequences.shape[:2]
        execution = choose(
            steps=steps,
            batch=batch,
            training=bool(training),
            unroll=self.unroll,
            gpu=cudnn.gpu_visible(),
            cudnn=bool(self.use_cudnn) and not self._cudnn_obstacle(),
            native=not self.native_obstacle(),
        )
        self._record_path(execution.in_words())
        if execution.native:
            options = Options(
                reset_after=self.reset_after,
                shares=execution.shares,
                gradient=execution.gradient,
                keep_gates=bool(training),
                last_only=not self.return_sequences,
            )
            return self._native_loop(sequences, initial_state, mask, options)
        states = fast_path.sequence_states(
            sequences,
            initial_state,
            self.weights_in_compute_dtype(),
            mask,
            reset_after=self.reset_after,
            keep_gates=bool(training),
            execution=execution,
        )  # [T, B, H]
        last_state = states[-1]  # [B, H]
        outputs = states
        if mask is not None:
            outputs = self._masked_outputs(states, time_major_mask(mask), time_axis=0)
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

    def _native_loop(
        self, sequences: Any, initial_state: Any, mask: Any, options: Options
    ) -> tuple[Any, Any, Any]:
        """Does what `run_loop` does, by the native operations."""
        if mask is not None:
            mask = tf.broadcast_to(mask, tf.shape(sequences)[:2])
        weights = self.weights_in_compute_dtype()
        states = native.gru_states(sequences, initial_state, weights, mask, options)
        if self.return_sequences:  # [B, T, H]
            outputs = states if mask is None else self._masked_outputs(states, mask, time_axis=1)
            return outputs[:, -1], outputs, [states[:, -1]]
        output = last_state = states  # [B, H]
        if mask is not None:
            shown = mask[:, -1] if self.zero_output_for_mask else ops.any(mask, axis=1)
            output = ops.where(shown[:, None], last_state, ops.zeros_like(last_state))
        return output, output[:, None], [last_state]

    def _masked_outputs(self, states: Any, mask: Any, time_axis: int) -> Any:
        """Replaces the states at masked time steps by the outputs of Keras's loop.

        They are 0, or the output of the last valid time step, which is 0 before the first one.

        Args:
            states: `[T, B, H]`, or `[B, T, H]`.
            mask: bool `[T, B]`, or `[B, T]`.
            time_axis: the axis of the time steps.
        """
        shown = mask
        if not self.zero_output_for_mask:
            shown = ops.cumsum(ops.cast(mask, "int32"), axis=time_axis) > 0
        return ops.where(shown[..., None], states, ops.zeros_like(states))

    def native_obstacle(self) -> str:
        """Returns why the layer cannot take the native operations, or "" if it can."""
        if known := self._fast_obstacle(training=True) or native.obstacle():
            return known
        reasons = {
            "a GPU is visible": cudnn.gpu_visible(),
            f"dtype {self.compute_dtype}": self.compute_dtype != "float32",
            "XLA compiles what is around it": xla_around(),
        }
        return ", ".join(reason for reason, holds in reasons.items() if holds)

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

    def _record_path(self, path: str) -> None:
        self._path = path
        _log.debug("%s takes the path %s", self.name, path)

    def get_config(self) -> dict[str, Any]:
        # Only where it is not the default: keras.layers.GRU knows no `fast`.
        return super().get_config() | ({} if self.fast else {"fast": False})

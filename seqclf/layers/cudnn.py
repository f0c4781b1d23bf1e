"""cuDNN's kernel for a GRU on a GPU: when it can be taken, and how it is called.

The kernel takes its parameters as one vector. It has the transposed matrices, gates in the order r,
z, h, those of the input before the recurrent ones; and then the biases in the same order (NVIDIA's
cuDNN developer guide, `cudnnRNNMode_t`).
"""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf


def obstacle(
    *,
    gpu: bool,
    activation: Any,
    recurrent_activation: Any,
    use_bias: bool,
    reset_after: bool,
    recurrent_dropout: float,
    unroll: bool,
    dtype: str,
) -> str:
    """Returns why the kernel cannot be taken, in words; "" if it can be taken.

    Args:
        gpu: whether TensorFlow sees a GPU.
        activation: the layer's function of the candidate state.
        recurrent_activation: the layer's function of the gates.
        use_bias: the layer's argument of this name; the same holds for the next three.
        reset_after: see `use_bias`.
        recurrent_dropout: see `use_bias`.
        unroll: see `use_bias`.
        dtype: name of the dtype in which the layer computes.
    """
    reasons = {
        "no GPU is visible": not gpu,
        "activation is not tanh": activation is not keras.activations.tanh,
        "recurrent_activation is not sigmoid": (
            recurrent_activation is not keras.activations.sigmoid
        ),
        "use_bias=False": not use_bias,
        "reset_after=False": not reset_after,
        "recurrent_dropout": recurrent_dropout > 0,
        "unroll=True": unroll,
        f"dtype {dtype}": dtype not in ("float16", "float32", "float64"),
    }
    return ", ".join(reason for reason, holds in reasons.items() if holds)


def checked_choice(use_cudnn: bool | str) -> bool | str:
    """Returns the value of an argument `use_cudnn`.

    Raises:
        ValueError: the value is not "auto", True or False.
    """
    if use_cudnn not in ("auto", True, False):
        raise ValueError(
            f"Argument `use_cudnn` must be 'auto', True or False. Received: {use_cudnn!r}"
        )
    return use_cudnn


def unavailable(reason: str) -> ValueError:
    """Returns the error of a call with `use_cudnn=True` where the kernel cannot be taken."""
    return ValueError(
        f"use_cudnn=True, but cuDNN's kernel cannot be had here: {reason}. "
        "Give use_cudnn='auto' to use it where it can."
    )


def gpu_visible() -> bool:
    """Returns whether TensorFlow may use a GPU."""
    return bool(tf.config.get_visible_devices("GPU"))


def parameters(kernel: tf.Tensor, recurrent_kernel: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    """Returns cuDNN's vector of parameters, `[3·H·D + 3·H·H + 6·H]`.

    Args:
        kernel: `[D, 3H]`, gates in the order z, r, h.
        recurrent_kernel: `[H, 3H]`.
        bias: `[2, 3H]`.
    """
    pieces: list[tf.Tensor] = []
    for weights in (kernel, recurrent_kernel):
        z, r, h = tf.split(weights, 3, axis=1)
        pieces += [tf.transpose(gate) for gate in (r, z, h)]
    for row in tf.unstack(bias):
        z, r, h = tf.split(row, 3)
        pieces += [r, z, h]
    return tf.concat([tf.reshape(piece, [-1]) for piece in pieces], axis=0)


def right_padded(mask: tf.Tensor) -> tf.Tensor:
    """Returns whether each row of a mask, bool `[B, T]`, begins with True and ends with False.

    Only such masks can be written as lengths, which is what cuDNN takes. It takes no length 0.
    """
    lengths = tf.reduce_sum(tf.cast(mask, tf.int32), axis=1)
    prefix = tf.sequence_mask(lengths, tf.shape(mask)[1])
    return tf.reduce_all(prefix == mask) & tf.reduce_all(lengths > 0)


def gru_sequence(
    x: tf.Tensor,
    initial_state: tf.Tensor,
    weights: Sequence[tf.Tensor],
    mask: tf.Tensor | None,
) -> tf.Tensor:
    """Runs cuDNN's kernel over a sequence; the kernel has a gradient of its own.

    Args:
        x: `[T, B, D]`.
        initial_state: `[B, H]`.
        weights: kernel, recurrent_kernel and bias, in the shapes that `parameters` takes.
        mask: bool `[T, B]`, for which `right_padded` holds, or None.

    Returns:
        The state after each time step, `[T, B, H]`; at masked time steps the last valid state.
    """
    steps, batch = tf.shape(x)[0], tf.shape(x)[1]
    if mask is None:
        lengths = tf.fill([batch], steps)
    else:
        lengths = tf.reduce_sum(tf.cast(mask, tf.int32), axis=0)
    states, last, *_ = tf.raw_ops.CudnnRNNV3(
        input=x,
        input_h=initial_state[None],
        input_c=tf.zeros([], x.dtype),
        params=parameters(*weights),
        sequence_lengths=lengths,
        rnn_mode="gru",
        is_training=True,  # otherwise there is no gradient
        time_major=True,
    )
    return states if mask is None else tf.where(mask[..., None], states, last)

"""Matrix products in the dtype of the weights, with results in the dtype of the state."""

import tensorflow as tf
from tensorflow import Tensor


def state_dtype(dtype: tf.DType) -> tf.DType:
    """Returns the dtype of states and gates: float32 where the weights are in half precision."""
    return tf.float32 if dtype in (tf.float16, tf.bfloat16) else dtype


def product(
    a: Tensor, matrix: Tensor, bias: Tensor | None = None, transpose: bool = False
) -> Tensor:
    """Returns a M + b, or a Mᵀ + b with `transpose`.

    Args:
        a: `[…, K]`.
        matrix: M, `[K, N]`, or `[N, K]` with `transpose`.
        bias: b, `[N]`, or None.
        transpose: whether to multiply by the transposed matrix.

    Returns:
        `[…, N]`, in the state's dtype. The product itself is computed in the matrix's dtype.
    """
    result = tf.matmul(tf.cast(a, matrix.dtype), matrix, transpose_b=transpose)
    if bias is not None:
        result = tf.nn.bias_add(result, bias)
    return tf.cast(result, state_dtype(matrix.dtype))


def weight_gradient(a: Tensor, gamma: Tensor, weights: Tensor) -> Tensor:
    """Returns Σ_t a_tᵀ γ_t as one product over the T·B rows.

    Args:
        a: `[T, B, K]`.
        gamma: γ, `[T·B, N]`.
        weights: the matrix whose gradient it is; it gives the dtype.

    Returns:
        `[K, N]`.
    """
    a_rows, gamma = tf.cast(rows(a), weights.dtype), tf.cast(gamma, weights.dtype)
    return tf.matmul(a_rows, gamma, transpose_a=True)


def rows(a: Tensor) -> Tensor:
    """Returns a tensor `[T, B, N]` as `[T·B, N]`."""
    return tf.reshape(a, [-1, a.shape[-1]])

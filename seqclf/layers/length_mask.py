"""`LengthMask`: from the lengths of padded sequences to the mask of their valid time steps."""

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="seqclf")
class LengthMask(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Turns lengths into the mask that recurrent layers take.

    Call arguments:
        sequences: `[B, T, D]`; only the number of time steps is read.
        lengths: integers `[B]`.

    Returns:
        bool `[B, T]`: True at valid time steps.

    Example:
        >>> mask = LengthMask()(np.zeros([2, 3, 1]), np.array([1, 3]))
        >>> mask.numpy().tolist()
        [[True, False, False], [True, True, True]]
    """

    def call(self, sequences: Any, lengths: Any) -> Any:
        """Returns the mask."""
        steps = keras.ops.arange(keras.ops.shape(sequences)[1], dtype="int32")
        return steps[None, :] < keras.ops.cast(lengths, "int32")[:, None]

    def compute_output_spec(self, sequences: Any, lengths: Any) -> keras.KerasTensor:
        """Returns the shape and the dtype of the mask."""
        del lengths
        return keras.KerasTensor(sequences.shape[:2], dtype="bool")


def time_major_mask(mask: Any) -> Any:
    """Returns a mask `[T, B]` from one `[B, T]`.

    TensorFlow's transposition of booleans prints an error on most machines before it does its work
    ("oneDNN supports DT_BOOL only on platforms with AVX-512"), so numbers are transposed. A cast
    would not help: TensorFlow moves it behind the transposition, where it has fewer bytes to move.

    Args:
        mask: bool `[B, T]`.
    """
    return keras.ops.transpose(keras.ops.where(mask, 1.0, 0.0)) > 0.5

"""The examples to explain: image files and `.npz` files as raw arrays."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf

from seqclf.data.dataset import DatasetSpec
from seqclf.errors import DataError
from seqclf.serving.graph_errors import message_of
from seqclf.serving.image_decoding import decode_images
from seqclf.serving.image_files import encode_image_file, polarity_hint
from seqclf.serving.npz_inputs import read_npz_inputs

MAX_EXAMPLES = 8  # taken from one `.npz` file


def load_inputs(
    path: str, spec: DatasetSpec, invert: bool = False
) -> Iterator[tuple[str, np.ndarray, np.ndarray | None]]:
    """Yields name, raw example `[1, *raw_shape]` and lengths `[1]` (or None) for each example.

    Args:
        path: a PNG or JPEG file, or an `.npz` file, of which the first `MAX_EXAMPLES` are taken.
        spec: spec of the model's data.
        invert: whether to swap dark and bright in an image file first.

    Raises:
        DataError: the file is missing or damaged, or does not suit the model.
    """
    name = Path(path).stem
    if path.endswith(".npz"):
        missing = spec.missing != "error"
        arrays = read_npz_inputs(
            path, spec.input_shape, spec.raw_dtype, spec.variable_length, missing
        )
        x, lengths = arrays.x, arrays.lengths
        for i in range(min(MAX_EXAMPLES, len(x))):
            yield f"{name}-{i}", x[i : i + 1], None if lengths is None else lengths[i : i + 1]
        return
    if not spec.fits_image_file:
        raise DataError(
            f"{path}: this model reads sequences of {spec.raw_features} {spec.raw_dtype} features, "
            "not images: give an .npz file with `x`."
        )
    encoded = tf.constant([encode_image_file(path, invert)])
    try:
        yield name, decode_images(encoded, spec).numpy(), None
    except tf.errors.InvalidArgumentError as error:
        raise DataError(f"{path}: not a readable image ({message_of(error)}).") from error


def polarity_warning(path: str, spec: DatasetSpec, invert: bool) -> str:
    """Returns a warning if an image looks like a negative of the training images, otherwise ""."""
    return "" if path.endswith(".npz") else polarity_hint(path, invert, spec.background)

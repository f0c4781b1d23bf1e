"""The examples to explain: image files, tables and `.npz` files as raw arrays."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from seqclf.data.dataset import DatasetSpec
from seqclf.errors import ConfigError, DataError
from seqclf.serving.graph_errors import message_of
from seqclf.serving.image_decoding import decode_images
from seqclf.serving.image_files import encode_image_file, polarity_hint
from seqclf.serving.model_input import ModelInput
from seqclf.serving.predicting.opening import is_table, open_input

MAX_EXAMPLES = 8  # taken from one file with sequences


class Example(NamedTuple):
    """An example to explain.

    Attributes:
        name: the name of its file, with a number if the file has several.
        raw: `[1, *raw_shape]`; where lengths vary, `[1, T, D]`.
        lengths: `[1]`, its number of valid time steps; None where lengths do not vary.
        id: its name in the file; "" if it has none.
    """

    name: str
    raw: np.ndarray
    lengths: np.ndarray | None
    id: str = ""

    @property
    def title(self) -> str:
        """The name, and the id if there is one, on one line."""
        return f"{self.name} ({' '.join(self.id.split())})" if self.id else self.name


def load_inputs(
    path: str,
    spec: DatasetSpec,
    invert: bool = False,
    tell: Callable[[str], None] = lambda line: None,
) -> Iterator[Example]:
    """Yields the examples of a file.

    Args:
        path: a PNG or JPEG file; or what `predict` takes: an `.npz` file, a table (CSV, Parquet) or
            a folder with a file for each sequence, of which the first `MAX_EXAMPLES` are taken.
        spec: spec of the model's data.
        invert: whether to swap dark and bright in an image file first.
        tell: a function that is called with each note about the file.

    Raises:
        DataError: the file is missing or damaged, or does not suit the model.
    """
    if _has_sequences(path):
        yield from _sequences(path, spec, tell)
        return
    if not spec.fits_image_file:
        raise DataError(
            f"{path}: this model reads sequences of {spec.raw_features} {spec.raw_dtype} features, "
            "not images: give an .npz file with `x`, or a table as for `predict`."
        )
    encoded = tf.constant([encode_image_file(path, invert)])
    try:
        yield Example(Path(path).stem, decode_images(encoded, spec).numpy(), None)
    except tf.errors.InvalidArgumentError as error:
        raise DataError(f"{path}: not a readable image ({message_of(error)}).") from error


def _has_sequences(path: str) -> bool:
    return path.endswith(".npz") or is_table(path) or Path(path).expanduser().is_dir()


def _sequences(path: str, spec: DatasetSpec, tell: Callable[[str], None]) -> Iterator[Example]:
    """Yields the first examples of a file that `predict` reads."""
    model = ModelInput(
        spec.raw_dtype,
        spec.input_shape,
        spec.variable_length,
        reads_images=False,
        spec=spec,
        per_step=spec.per_step,
    )
    try:
        file = open_input(path, model, spec.class_names)
    except ConfigError as error:  # which speaks of flags that `predict` has
        raise DataError(
            f"{path}: it is not known which columns this model reads, because it was not trained "
            "on a table: give an .npz file with `x`."
        ) from error
    count = 0
    for batch in file.batches(1):
        if count == MAX_EXAMPLES:
            tell(f"note: {path}: has more examples; the first {MAX_EXAMPLES} are explained")
            break
        lengths, own = batch.inputs.get("lengths"), batch.ids[0]
        own = "" if own == f"{path}[{count}]" else own
        yield Example(f"{Path(path).stem}-{count}", batch.inputs["inputs"], lengths, own)
        count += 1
    for note in file.notes():
        tell(f"note: {path}: {note}")
    if not count:
        raise DataError(f"{path}: has no example to explain.")


def polarity_warning(path: str, spec: DatasetSpec, invert: bool) -> str:
    """Returns a warning if an image looks like a negative of the training images, otherwise ""."""
    return "" if _has_sequences(path) else polarity_hint(path, invert, spec.background)

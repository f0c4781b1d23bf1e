"""A PNG or JPEG image, or one of another format, that is to be predicted."""

from collections.abc import Iterator

from seqclf.errors import DataError
from seqclf.serving.image_files import encode_image_file, polarity_hint
from seqclf.serving.model_input import IMAGES, ModelInput
from seqclf.serving.object_arrays import object_array
from seqclf.serving.predicting.batches import Batch


class ImageInput:
    """An image file, which the model itself decodes.

    An image is turned upright as its EXIF data says, then converted as `decode_images` describes.

    Args:
        path: the file.
        model: description of the inputs that the model takes.
        invert: whether to swap dark and bright first.

    Raises:
        DataError: the model reads no images.
    """

    labelled = False
    count: int | None = 1

    def __init__(self, path: str, model: ModelInput, invert: bool = False):
        if not model.reads_images:
            raise DataError(
                f"{path}: this model reads sequences {model.in_words()} of {model.dtype}, not "
                "images: give a CSV, Parquet or .npz file, or a folder of CSV or .npy files. Other "
                "files, such as an archive's .ts, cannot be predicted."
            )
        self.path = path
        self._invert = invert
        self._background = model.spec.background if model.spec else None

    def batches(self, size: int) -> Iterator[Batch]:
        """Yields the image as a batch of its own, so that a message can name the file."""
        images = object_array([encode_image_file(self.path, self._invert)])
        yield Batch(IMAGES, {"image_bytes": images}, [self.path], [None])

    def warnings(self) -> list[str]:
        """Returns a hint if the image is dark on bright and the training images were not."""
        if self._background is None:
            return []
        hint = polarity_hint(self.path, self._invert, self._background)
        return [hint] if hint else []

    def notes(self) -> tuple[str, ...]:
        return ()

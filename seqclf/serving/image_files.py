"""Prepares image files for a served model, without TensorFlow."""

import io

import numpy as np
from PIL import Image

from seqclf.data.image_files import ORIENTATION, UPRIGHT, luma, opened, pixels_of, read_image

LONGEST_SIDE = 2048  # pixels; larger images are shrunk, so that requests stay small
END_MARKS = {"PNG": b"\0\0\0\0IEND\xaeB`\x82", "JPEG": b"\xff\xd9"}  # last bytes of a whole file
SERVED_MODES = ("1", "L", "LA", "P", "RGB", "RGBA")


def encode_image_file(path: str, invert: bool = False) -> bytes:
    """Returns an image file as PNG or JPEG bytes for a signature that takes image files.

    These are the file's own bytes if the graph of the model decodes them as Pillow does. Otherwise
    (turned by EXIF, 16 bits, CMYK, another format, too large) they are those of a new PNG.

    Args:
        path: the file.
        invert: whether to swap dark and bright.

    Raises:
        DataError: there is no such file, or it is not a whole image.
    """
    with opened(path) as (image, content):
        if not invert and _is_servable(image, content):
            return content
        return _as_png(image, invert)


def polarity_hint(path: str, invert: bool, background: float) -> str:
    """Returns a warning if the border of an image is bright but was dark in training, else "".

    Args:
        path: the image file.
        invert: whether dark and bright are swapped first.
        background: brightness of the borders of the training images, see `DatasetSpec`.
    """
    image = Image.fromarray(luma(read_image(path))).resize((16, 16))
    pixels = np.asarray(image, float) / 255
    if invert:
        pixels = 1 - pixels
    edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]).mean()
    if background < 0.25 and edge > 0.6:
        return (
            f"{path}: its border is bright, while the model was trained on bright strokes on a "
            "dark ground. If it shows dark strokes on paper, add --invert."
        )
    return ""


def _is_servable(image: Image.Image, content: bytes) -> bool:
    return (
        image.format in END_MARKS
        # Pillow reads an image without its end mark, TensorFlow doesn't.
        and END_MARKS[image.format] in content[-64:]
        and image.mode in SERVED_MODES
        and max(image.size) <= LONGEST_SIDE
        and "transparency" not in image.info  # one transparent colour: TensorFlow may ignore it
        and image.getexif().get(ORIENTATION, 1) not in UPRIGHT
    )


def _as_png(image: Image.Image, invert: bool) -> bytes:
    pixels = pixels_of(image)
    upright = Image.fromarray(255 - pixels if invert else pixels)
    scale = LONGEST_SIDE / max(upright.size)
    if scale < 1:
        width, height = (max(1, round(side * scale)) for side in upright.size)
        upright = upright.resize((width, height), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    upright.save(file, "PNG")
    return file.getvalue()

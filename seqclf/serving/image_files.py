"""Prepares image files for a served model, without TensorFlow."""

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from seqclf.errors import DataError

LONGEST_SIDE = 2048  # pixels; larger images are shrunk, so that requests stay small
END_MARKS = {"PNG": b"\0\0\0\0IEND\xaeB`\x82", "JPEG": b"\xff\xd9"}  # last bytes of a whole file
SERVED_MODES = ("1", "L", "LA", "P", "RGB", "RGBA")
GREY_MODES = ("1", "L", "LA", "La")
ORIENTATION = 0x0112  # EXIF: 1 is upright


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
    try:
        content = Path(path).read_bytes()
        with Image.open(io.BytesIO(content)) as image:
            image.verify()  # checks the sums in a PNG; the image must be opened again afterwards
        with Image.open(io.BytesIO(content)) as image:
            image.load()  # finds a truncated file here instead of on the server
            if not invert and _is_servable(image, content):
                return content
            return _as_png(image, invert)
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file.") from error
    except UnidentifiedImageError as error:
        raise DataError(f"{path}: not a readable PNG or JPEG image.") from error
    except Exception as error:  # Pillow's readers raise errors of any type for a damaged file
        raise DataError(f"{path}: not a readable PNG or JPEG image ({error}).") from error


def polarity_hint(path: str, invert: bool, background: float) -> str:
    """Returns a warning if the border of an image is bright but was dark in training, else "".

    Args:
        path: the image file.
        invert: whether dark and bright are swapped first.
        background: brightness of the borders of the training images, see `DatasetSpec`.
    """
    with Image.open(io.BytesIO(encode_image_file(path, invert))) as image:
        pixels = np.asarray(_flattened(image).convert("L").resize((16, 16)), float) / 255
    edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]).mean()
    if background < 0.25 and edge > 0.6:
        return (
            f"{path}: its border is bright, while the model was trained on bright strokes on a "
            "dark ground. If it shows dark strokes on paper, add --invert."
        )
    return ""


def _flattened(image: Image.Image) -> Image.Image:
    """Returns an image without transparency, with 8 bits per channel."""
    if image.mode.startswith("I"):  # 16-bit grey: Pillow would clip it, not scale it
        scaled = np.round(np.asarray(image, np.float32) / 257)
        return Image.fromarray(np.clip(scaled, 0, 255).astype(np.uint8))
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(paper, image)
    return image


def _is_servable(image: Image.Image, content: bytes) -> bool:
    return (
        image.format in END_MARKS
        # Pillow reads an image without its end mark, TensorFlow doesn't.
        and END_MARKS[image.format] in content[-64:]
        and image.mode in SERVED_MODES
        and max(image.size) <= LONGEST_SIDE
        and "transparency" not in image.info  # one transparent colour: TensorFlow may ignore it
        and image.getexif().get(ORIENTATION, 1) not in range(2, 9)
    )


def _as_png(image: Image.Image, invert: bool) -> bytes:
    is_grey = image.mode in GREY_MODES or image.mode.startswith("I")
    upright = _flattened(ImageOps.exif_transpose(image)).convert("L" if is_grey else "RGB")
    if invert:
        upright = ImageOps.invert(upright)
    scale = LONGEST_SIDE / max(upright.size)
    if scale < 1:
        width, height = (max(1, round(side * scale)) for side in upright.size)
        upright = upright.resize((width, height), Image.Resampling.LANCZOS)
    upright.info = {}  # otherwise PNG would keep the colour profile of the old colours
    file = io.BytesIO()
    upright.save(file, "PNG")
    return file.getvalue()

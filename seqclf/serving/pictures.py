"""Picture files as a served model takes them; without TensorFlow."""

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from seqclf.errors import DataError

LONGEST_SIDE = 2048  # larger ones are shrunk: no model here sees more, and requests stay small
END_MARKS = {"PNG": b"\0\0\0\0IEND\xaeB`\x82", "JPEG": b"\xff\xd9"}  # of the formats served
SERVED_MODES = ("1", "L", "LA", "P", "RGB", "RGBA")
GREY_MODES = ("1", "L", "LA", "La")
ORIENTATION = 0x0112  # EXIF: 1 is upright


def encode(path: str, invert: bool = False) -> bytes:
    """Returns a picture as PNG or JPEG bytes for a signature that takes such.

    The file's own bytes, if the model's graph reads from them what `Predictor.read_image` does;
    otherwise (turned by EXIF, 16 bits, CMYK, another format, too large) a new PNG.

    Args:
        path: the file.
        invert: turn dark to bright.

    Raises:
        DataError: there is no such file, or it isn't a whole picture.
    """
    try:
        content = Path(path).read_bytes()
        with Image.open(io.BytesIO(content)) as image:
            image.verify()  # the check sums of a PNG; afterwards it must be opened again
        with Image.open(io.BytesIO(content)) as image:
            image.load()  # a file that breaks off is found here, not by the server
            if not invert and _is_servable(image, content):
                return content
            return _as_png(image, invert)
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file.") from error
    except UnidentifiedImageError as error:
        raise DataError(f"{path}: not a readable PNG or JPEG picture.") from error
    except Exception as error:  # Pillow's readers let through whatever a damaged file brings about
        raise DataError(f"{path}: not a readable PNG or JPEG picture ({error}).") from error


def polarity_hint(path: str, invert: bool, background: float) -> str:
    """Returns a warning when a picture's border is bright where the training's was dark, or "".

    Args:
        path: the file.
        invert: whether its dark is turned to bright first.
        background: of the training's pictures, see `DatasetSpec`.
    """
    with Image.open(io.BytesIO(encode(path, invert))) as image:
        pixels = np.asarray(_flattened(image).convert("L").resize((16, 16)), float) / 255
    edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]).mean()
    if background < 0.25 and edge > 0.6:
        return (
            f"{path}: its border is bright, while the model was trained on bright strokes on a "
            "dark ground. If it shows dark strokes on paper, add --invert."
        )
    return ""


def _flattened(image: Image.Image) -> Image.Image:
    """Returns a picture without transparency, of 8 bits per channel."""
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
        # Pillow reads a picture without its end mark, TensorFlow doesn't.
        and END_MARKS[image.format] in content[-64:]
        and image.mode in SERVED_MODES
        and max(image.size) <= LONGEST_SIDE
        and "transparency" not in image.info  # one transparent colour: TensorFlow may ignore it
        and image.getexif().get(ORIENTATION, 1) not in range(2, 9)
    )


def _as_png(image: Image.Image, invert: bool) -> bytes:
    is_grey = image.mode in GREY_MODES or image.mode.startswith("I")
    picture = _flattened(ImageOps.exif_transpose(image)).convert("L" if is_grey else "RGB")
    if invert:
        picture = ImageOps.invert(picture)
    scale = LONGEST_SIDE / max(picture.size)
    if scale < 1:
        width, height = (max(1, round(side * scale)) for side in picture.size)
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    picture.info = {}  # PNG would carry on the colour profile of other colours
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()

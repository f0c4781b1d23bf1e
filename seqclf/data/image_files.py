"""Reads image files as pixels, in one way for training and for predictions; without TensorFlow.

`docs/data.md` has a table of what is done with each kind of image. The formulas for transparency
and for grey are those of `decode_images`, the operations of an export, to the bit.
"""

import importlib.util
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from seqclf.errors import DataError

SUFFIXES = {  # format, as Pillow names it -> endings of its file names
    "PNG": (".png", ".apng"),
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "BMP": (".bmp", ".dib"),
    "GIF": (".gif",),
    "JPEG2000": (".jp2", ".j2k", ".jpx"),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm"),
    "TGA": (".tga",),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
}
if importlib.util.find_spec("PIL.AvifImagePlugin"):  # since Pillow 11.3
    SUFFIXES["AVIF"] = (".avif",)
IMAGE_SUFFIXES = tuple(suffix for suffixes in SUFFIXES.values() for suffix in suffixes)
GREY_MODES = ("1", "L", "LA", "La")
ORIENTATION = 0x0112  # EXIF: 1 is upright
UPRIGHT = {  # EXIF orientation -> how the image becomes upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read_image(path: str | Path, channels: int = 0) -> np.ndarray:
    """Returns the pixels of an image file, upright, opaque and with 8 bits per channel.

    Args:
        path: the file.
        channels: 1 for grey, 3 for RGB; 0: 1 if the image in the file is grey, else 3.

    Returns:
        uint8 `[H, W]` for grey, `[H, W, 3]` for RGB.

    Raises:
        DataError: there is no such file, it is damaged, or an image of its kind cannot be read.
    """
    with opened(path) as (image, _):
        pixels = pixels_of(image)
    if channels == 1:
        return luma(pixels)
    if channels == 3 and pixels.ndim == 2:
        return np.repeat(pixels[:, :, np.newaxis], 3, axis=2)
    return pixels


@contextmanager
def opened(path: str | Path) -> Iterator[tuple[Image.Image, bytes]]:
    """Yields the first image of a file, loaded, and the content of the file.

    Raises:
        DataError: there is no such file, it is damaged, or an image of its kind cannot be read.
            Errors of any type inside the block are raised as a DataError too: Pillow's readers
            raise all kinds of errors for a damaged file.
    """
    try:
        content = Path(path).expanduser().read_bytes()
        with Image.open(io.BytesIO(content), formats=tuple(SUFFIXES)) as image:
            image.verify()  # checks the sums in a PNG; the image must be opened again afterwards
        with Image.open(io.BytesIO(content), formats=tuple(SUFFIXES)) as image:
            image.load()  # finds a truncated file
            yield image, content
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file.") from error
    except UnidentifiedImageError as error:
        raise DataError(f"{path}: not a readable image; {_what_else(path)}.") from error
    except Exception as error:
        raise DataError(f"{path}: not a readable image ({error}).") from error


def pixels_of(image: Image.Image) -> np.ndarray:
    """Returns the pixels of a loaded image, upright, opaque and with 8 bits per channel.

    Returns:
        uint8 `[H, W]` if the image is grey, else `[H, W, 3]`.

    Raises:
        DataError: the mode of the image has no known white, or no conversion to RGB.
    """
    turn = UPRIGHT.get(image.getexif().get(ORIENTATION, 1))
    pixels = _opaque(image)
    if turn is not None:
        pixels = np.asarray(Image.fromarray(pixels).transpose(turn))
    return pixels


def is_grey(image: Image.Image) -> bool:
    """Returns whether an image has shades of grey only by its mode; a palette has colours."""
    return image.mode in GREY_MODES or image.mode.startswith("I")


def luma(pixels: np.ndarray) -> np.ndarray:
    """Returns grey pixels as they are, and the luma (ITU-R BT.601, in 256ths) of RGB pixels.

    Args:
        pixels: uint8 `[H, W]` or `[H, W, 3]`.

    Returns:
        uint8 `[H, W]`.
    """
    if pixels.ndim == 2:
        return pixels
    weighted = pixels.astype(np.uint16) @ np.array([77, 150, 29], np.uint16)
    return (weighted // 256).astype(np.uint8)


def _opaque(image: Image.Image) -> np.ndarray:
    """Returns the pixels of an image laid on white, uint8 `[H, W]` or `[H, W, 3]`."""
    if image.mode.startswith(("I", "F")):
        return _eight_bits(image)
    grey = is_grey(image)
    if "A" in image.getbands() or "a" in image.getbands() or "transparency" in image.info:
        pixels = np.asarray(_converted(image, "LA" if grey else "RGBA")).astype(np.uint16)
        alpha = pixels[..., -1:]
        mixed = (pixels[..., :-1] * alpha + 255 * (255 - alpha)) // 255
        return mixed.astype(np.uint8)[..., 0] if grey else mixed.astype(np.uint8)
    return np.asarray(_converted(image, "L" if grey else "RGB"))


def _eight_bits(image: Image.Image) -> np.ndarray:
    """Returns 16-bit grey scaled to 8 bits; Pillow's own conversion would clip it.

    Pillow also reads 16-bit grey as 32-bit numbers, in PPM files for instance.
    """
    if image.mode == "F" or (image.mode == "I" and image.format not in ("PNG", "PPM")):
        raise DataError(
            f"its pixels are 32-bit numbers (Pillow's mode {image.mode}), of which it is not known "
            "which one is white. Save it with 8 or 16 bits, or as an .npy array."
        )
    scaled = np.round(np.asarray(image).astype(np.float32) / 257)
    pixels = np.clip(scaled, 0, 255).astype(np.uint8)
    if (clear := image.info.get("transparency")) is not None:
        pixels = np.where(np.asarray(image) == clear, np.uint8(255), pixels)
    return pixels


def _converted(image: Image.Image, mode: str) -> Image.Image:
    if image.mode == "La":
        image = image.convert("LA")
    try:
        return image.convert(mode)
    except ValueError as error:
        raise DataError(
            f"an image of the mode {image.mode} cannot be converted. Save it as RGB or grey."
        ) from error


def _what_else(path: str | Path) -> str:
    """Returns what a file may be that no reader of images recognises."""
    start = Path(path).read_bytes()[:64] if Path(path).is_file() else b""
    if start.startswith(b"version https://git-lfs"):
        return "it is a pointer of Git LFS: fetch the file itself with git lfs pull"
    return f"formats that can be read are {', '.join(SUFFIXES)}"

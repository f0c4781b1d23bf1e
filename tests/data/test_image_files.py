"""Image files of every kind: training and predictions must see the same pixels."""

import dataclasses
import io
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from seqclf.data.dataset import DatasetSpec
from seqclf.data.image_files import SUFFIXES, UPRIGHT, luma, read_image
from seqclf.errors import DataError
from seqclf.serving.image_decoding import decode_images
from seqclf.serving.image_files import encode_image_file

HEIGHT, WIDTH = 12, 10
RGBA = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 4), dtype=np.uint8)
RGB, GREY = RGBA[..., :3], RGBA[..., 0]
SPEC = DatasetSpec("test", "rows", (HEIGHT, WIDTH), "uint8", ("a", "b"))


def served(path, channels, shape=(HEIGHT, WIDTH)):
    """Returns the pixels that an export reads from what `predict` sends."""
    spec = dataclasses.replace(SPEC, raw_shape=shape if channels == 1 else (*shape, 3))
    return decode_images(tf.constant([encode_image_file(str(path))]), spec).numpy()[0]


def png(values, depth, colour_type, extra=b""):
    """Returns a PNG of a depth that Pillow does not write: rows of `values`, big-endian."""
    height, width = values.shape[:2]
    rows = b"".join(b"\0" + row.astype(f">u{depth // 8}").tobytes() for row in values)

    def chunk(kind, content):
        return (
            struct.pack(">I", len(content))
            + kind
            + content
            + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + extra
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def with_alpha(mode):
    return Image.fromarray(RGBA).convert(mode)


def animated():
    """Returns a red image and, after it, a blue one."""
    first, second = (Image.new("RGB", (WIDTH, HEIGHT), colour) for colour in ("red", "blue"))
    return first, {"save_all": True, "append_images": [second]}


def profiled():
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    return Image.fromarray(RGB), {"icc_profile": profile}


def turned(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return Image.fromarray(RGB), {"exif": exif}


WRITTEN = (
    {  # file name -> an image, or an image and options, or the bytes of a file
        "grey.png": lambda: Image.fromarray(GREY),
        "one_bit.png": lambda: Image.fromarray(GREY).convert("1"),
        "grey_transparent_colour.png": lambda: (
            Image.fromarray(GREY),
            {"transparency": int(GREY[3, 4])},
        ),
        "grey_alpha.png": lambda: with_alpha("LA"),
        "rgb.png": lambda: Image.fromarray(RGB),
        "rgb_transparent_colour.png": lambda: (
            Image.fromarray(RGB),
            {"transparency": tuple(map(int, RGB[3, 4]))},
        ),
        "rgba.png": lambda: with_alpha("RGBA"),
        "palette.png": lambda: Image.fromarray(RGB).quantize(16),
        "palette_transparent.png": lambda: (Image.fromarray(RGB).quantize(16), {"transparency": 3}),
        "palette_alpha.png": lambda: (
            Image.fromarray(RGB).quantize(16),
            {"transparency": bytes(range(0, 256, 16))},
        ),
        "sixteen_bits.png": lambda: Image.fromarray(GREY.astype(np.uint16) * 257),
        "rgb_sixteen_bits.png": lambda: png(RGB.astype(np.uint16) * 256 + 200, 16, 2),
        "rgba_sixteen_bits.png": lambda: png(RGBA.astype(np.uint16) * 256 + 200, 16, 6),
        "grey_alpha_sixteen_bits.png": lambda: png(
            RGBA[..., 2:].astype(np.uint16) * 256 + 9, 16, 4
        ),
        "animated.png": animated,
        "profile.png": profiled,
        "grey.jpg": lambda: Image.fromarray(GREY),
        "rgb.jpg": lambda: Image.fromarray(RGB),
        "progressive.jpg": lambda: (Image.fromarray(RGB), {"progressive": True, "subsampling": 2}),
        "cmyk.jpg": lambda: Image.fromarray(RGB).convert("CMYK"),
        "profile.jpg": profiled,
        "rgb.bmp": lambda: Image.fromarray(RGB),
        "animated.gif": animated,
        "sixteen_bits.pgm": lambda: (
            b"P5 %d %d 65535\n" % (WIDTH, HEIGHT) + (GREY.astype(">u2") * 257).tobytes()
        ),
        "rgb.tga": lambda: Image.fromarray(RGB),
        "rgb.jp2": lambda: Image.fromarray(RGB),
        "rgba.tiff": lambda: with_alpha("RGBA"),
        "cmyk.tif": lambda: Image.fromarray(RGB).convert("CMYK"),
        "sixteen_bits.tif": lambda: Image.fromarray(GREY.astype(np.uint16) * 257),
        "rgba.webp": lambda: (with_alpha("RGBA"), {"lossless": True, "exact": True}),
        "rgb.avif": lambda: Image.fromarray(RGB),
    }
    | {
        f"turned_{i}.{kind}": lambda i=i: turned(i)
        for i in UPRIGHT
        for kind in ("png", "jpg", "tiff")
    }
)


def write(folder, name):
    made = WRITTEN[name]()
    if isinstance(made, bytes):
        (folder / name).write_bytes(made)
    else:
        image, options = made if isinstance(made, tuple) else (made, {})
        image.save(folder / name, **options)
    return folder / name


@pytest.mark.parametrize("name", WRITTEN)
def test_training_and_predictions_see_the_same_pixels(tmp_path, name):
    path = write(tmp_path, name)
    for channels in (1, 3):
        pixels = read_image(path, channels)
        np.testing.assert_array_equal(served(path, channels, pixels.shape[:2]), pixels)


def expected():
    """Yields the name of a file and the pixels that must be read from it."""
    alpha = RGBA[..., 3:].astype(int)
    on_white = (RGB * alpha + 255 * (255 - alpha)) // 255
    for name in ("rgba.png", "rgba.tiff", "rgba.webp", "rgba_sixteen_bits.png"):
        yield name, on_white
    for name in ("rgb.png", "rgb.bmp", "rgb.tga", "profile.png", "rgb_sixteen_bits.png"):
        yield name, RGB
    for name in ("sixteen_bits.png", "sixteen_bits.tif", "sixteen_bits.pgm", "grey.png"):
        yield name, GREY
    clear = np.where(GREY[3, 4] == GREY, 255, GREY)
    yield "grey_transparent_colour.png", clear
    clear = np.where((RGB[3, 4] == RGB).all(-1, keepdims=True), 255, RGB)
    yield "rgb_transparent_colour.png", clear
    for name in ("animated.png", "animated.gif"):
        yield name, np.broadcast_to(np.array([255, 0, 0]), RGB.shape)
    ways = {2: np.fliplr, 3: lambda x: np.rot90(x, 2), 4: np.flipud, 8: np.rot90}
    ways |= {5: lambda x: x.swapaxes(0, 1), 6: lambda x: np.rot90(x, -1)}
    ways[7] = lambda x: np.rot90(x.swapaxes(0, 1), 2)
    for orientation, way in ways.items():
        yield f"turned_{orientation}.png", way(RGB)
        yield f"turned_{orientation}.tiff", way(RGB)


@pytest.mark.parametrize(("name", "pixels"), list(expected()))
def test_what_is_read(tmp_path, name, pixels):
    np.testing.assert_array_equal(read_image(write(tmp_path, name)), pixels)


def test_every_format_is_written_here():
    assert {f".{name.rpartition('.')[2]}" for name in WRITTEN} >= {
        s[0] for s in SUFFIXES.values()
    } - {".ppm"}


def test_channels(tmp_path):
    grey, colour = write(tmp_path, "grey.png"), write(tmp_path, "rgb.png")
    assert read_image(grey).shape == (HEIGHT, WIDTH)
    assert read_image(colour).shape == (HEIGHT, WIDTH, 3)
    np.testing.assert_array_equal(read_image(grey, 3), GREY[..., None].repeat(3, axis=2))
    np.testing.assert_array_equal(read_image(colour, 1), luma(RGB))
    weighted = RGB @ np.array([0.299, 0.587, 0.114])
    assert np.abs(luma(RGB) - weighted).max() < 1.5


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.png", b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "git lfs pull"),
        ("a.png", b"hello", "formats that can be read are PNG, JPEG"),
        ("a.jpg", b"", "formats that can be read"),
    ],
)
def test_files_that_are_no_images(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=f"{name}: not a readable image; .*{message}"):
        read_image(tmp_path / name)
    with pytest.raises(DataError, match="absent.png: no such file"):
        read_image(tmp_path / "absent.png")


def test_numbers_without_a_known_white_are_refused(tmp_path):
    for image in (Image.fromarray(GREY.astype(np.float32)), Image.fromarray(GREY.astype(np.int32))):
        image.save(tmp_path / "a.tiff")
        with pytest.raises(DataError, match=r"a\.tiff: its pixels are 32-bit numbers .* \.npy"):
            read_image(tmp_path / "a.tiff")


def test_truncated_files_are_refused(tmp_path):
    content = io.BytesIO()
    Image.fromarray(RGB).save(content, "PNG")
    (tmp_path / "a.png").write_bytes(content.getvalue()[:-60])
    with pytest.raises(DataError, match=r"a\.png: not a readable image"):
        read_image(tmp_path / "a.png")

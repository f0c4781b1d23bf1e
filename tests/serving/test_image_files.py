"""Image files prepared for a served model: the graph decodes what `encode_image_file` gives."""

import io
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from seqclf.errors import DataError
from seqclf.serving import image_files
from seqclf.serving.image_files import encode_image_file

RGBA = np.random.default_rng(0).integers(0, 256, (24, 20, 4), dtype=np.uint8)


def save(path, image, **options):
    image.save(path, **options)
    return str(path)


def converted(mode):
    opaque = mode == "P"  # a palette from RGBA would hold a transparent colour
    return Image.fromarray(RGBA[..., :3] if opaque else RGBA).convert(mode)


def decoded(content):
    """What a server's graph reads: `[h, w, channels]`."""
    decode = tf.io.decode_png if content.startswith(b"\x89PNG") else tf.io.decode_jpeg
    return decode(content).numpy()


def reread(path, **options):
    content = encode_image_file(path, **options)
    assert content.startswith(b"\x89PNG")
    return decoded(content)


@pytest.mark.parametrize("mode", image_files.SERVED_MODES)
def test_a_png_that_needs_nothing_is_sent_as_it_is(tmp_path, mode):
    path = save(tmp_path / "a.png", converted(mode))
    content = encode_image_file(path)
    assert content == (tmp_path / "a.png").read_bytes()
    assert decoded(content).shape[:2] == (24, 20)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_so_is_a_jpeg(tmp_path, mode):
    path = save(tmp_path / "a.jpg", converted(mode), progressive=True)
    assert encode_image_file(path) == (tmp_path / "a.jpg").read_bytes()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_a_camera_s_orientation_is_applied(tmp_path, name, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    quarters = np.kron([[0, 80], [160, 240]], np.ones((24, 16))).astype(np.uint8)
    path = save(tmp_path / name, Image.fromarray(quarters), exif=exif)
    wanted = {
        1: lambda x: x,
        2: np.fliplr,
        3: lambda x: np.rot90(x, 2),
        4: np.flipud,
        5: np.transpose,
        6: lambda x: np.rot90(x, -1),
        7: lambda x: np.rot90(x.T, 2),
        8: np.rot90,
    }[orientation](quarters)
    np.testing.assert_allclose(decoded(encode_image_file(path))[..., 0], wanted, atol=6)
    assert (encode_image_file(path) == (tmp_path / name).read_bytes()) == (orientation == 1)


def test_sixteen_bits_are_scaled_not_clipped(tmp_path):
    grey = RGBA[..., 0]
    path = save(tmp_path / "a.png", Image.fromarray(grey.astype(np.uint16) * 257))
    np.testing.assert_array_equal(reread(path)[..., 0], grey)
    np.testing.assert_array_equal(reread(path, invert=True)[..., 0], 255 - grey)


def test_cmyk_becomes_rgb_and_other_formats_png(tmp_path):
    image = Image.fromarray(RGBA[..., :3])
    cmyk = save(tmp_path / "a.jpg", image.convert("CMYK"), quality=95)
    with Image.open(cmyk) as read:
        np.testing.assert_array_equal(reread(cmyk), np.asarray(read.convert("RGB")))
    np.testing.assert_array_equal(reread(save(tmp_path / "a.bmp", image)), RGBA[..., :3])


def test_invert_takes_transparent_for_white(tmp_path):
    image = Image.new("LA", (6, 8), (200, 0))
    image.putpixel((2, 3), (40, 255))
    wanted = np.zeros((8, 6, 1), np.uint8)
    wanted[3, 2] = 255 - 40
    np.testing.assert_array_equal(reread(save(tmp_path / "a.png", image), invert=True), wanted)


@pytest.mark.parametrize("mode, clear", [("L", 7), ("RGB", (7, 7, 7)), ("P", 7)])
def test_one_transparent_colour_is_white(tmp_path, mode, clear):
    image = Image.new(mode, (6, 8), clear)
    if mode == "P":
        image.putpalette([9, 9, 9] * 256)
    path = save(tmp_path / "a.png", image, transparency=clear)
    assert (reread(path) == 255).all()


def test_large_images_are_shrunk(tmp_path, monkeypatch):
    monkeypatch.setattr(image_files, "LONGEST_SIDE", 16)
    ramp = np.repeat(np.linspace(0, 255, 64, dtype=np.uint8)[None], 32, axis=0)
    read = reread(save(tmp_path / "a.png", Image.fromarray(ramp)))
    assert read.shape == (8, 16, 1) and (np.diff(read[0, :, 0].astype(int)) > 10).all()
    thin = Image.new("P", (400, 1))
    assert reread(save(tmp_path / "b.png", thin)).shape[:2] == (1, 16)
    fits = save(tmp_path / "c.png", Image.new("L", (16, 16)))
    assert encode_image_file(fits) == (tmp_path / "c.png").read_bytes()


def test_a_new_png_holds_nothing_but_pixels(tmp_path):
    image = Image.fromarray(RGBA[..., :3])
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 3, "taken at home"
    path = save(tmp_path / "a.jpg", image, exif=exif, icc_profile=b"profile")
    with Image.open(io.BytesIO(encode_image_file(path))) as read:
        assert not read.info and not read.getexif()


def test_missing_and_foreign_files(tmp_path):
    with pytest.raises(DataError, match=r"absent\.png: no such file\.$"):
        encode_image_file(str(tmp_path / "absent.png"))
    (tmp_path / "text.png").write_text("no image")
    for path in (tmp_path / "text.png", tmp_path):
        with pytest.raises(DataError, match="not a readable image"):
            encode_image_file(str(path))


def test_a_bomb_is_refused_by_its_header(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    path = save(tmp_path / "a.png", Image.new("L", (30, 30)))
    with pytest.raises(DataError, match="decompression bomb"):
        encode_image_file(path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    image = Image.fromarray(RGBA[..., :3])
    files = [folder / "a.png", folder / "a.jpg"]
    for file in files:
        image.save(file)
    return [(file, file.read_bytes()) for file in files]


@given(share=st.floats(0, 0.98), flipped=st.floats(0, 0.999), bits=st.integers(1, 255))
def test_damaged_files_are_refused_or_can_be_decoded(whole, share, flipped, bits):
    for path, content in whole:
        path.write_bytes(content[: int(share * len(content))])
        with pytest.raises(DataError):
            encode_image_file(str(path))
        damaged = bytearray(content)
        damaged[int(flipped * len(damaged))] ^= bits
        path.write_bytes(damaged)
        try:
            sent = encode_image_file(str(path))
        except DataError:
            continue
        decoded(sent)


@pytest.mark.parametrize("missing", [1, 4])
def test_a_png_without_its_end_mark_is_mended(whole, missing):
    path, content = whole[0]
    path.write_bytes(content[:-missing])
    np.testing.assert_array_equal(reread(str(path)), decoded(content))


def test_it_does_not_load_tensorflow():
    code = (
        "import sys, seqclf.serving.image_files; print({'tensorflow', 'keras'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"

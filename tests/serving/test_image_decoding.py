"""Image files of all kinds become the raw examples that the model was trained on."""

import dataclasses
import io
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from file_predictions import predict_file
from PIL import Image

from seqclf import build_classifier
from seqclf.config import resolve
from seqclf.data.dataset import DatasetSpec
from seqclf.errors import DataError
from seqclf.serving.export import write_version
from seqclf.serving.image_decoding import decode_images
from seqclf.serving.image_files import encode_image_file, polarity_hint
from seqclf.serving.predictor import Predictor
from seqclf.serving.warmup import blank_examples

GREY = DatasetSpec("test", "rows", (8, 6), "uint8", ("a", "b"), full_scale=255.0)


def predictor(tmp_path, spec):
    model = build_classifier(resolve({"model": {"units": [4]}}), spec)
    version = tmp_path / "models" / "1"
    version.mkdir(parents=True)
    write_version(version, model, spec, {}, spec.raw_dtype, blank_examples(spec))
    return Predictor(version)


def read(path, spec=GREY, invert=False):
    """Returns what the model sees of an image: uint8 [H, W] or [H, W, C]."""
    return decode_images(tf.constant([encode_image_file(path, invert)]), spec).numpy()[0]


@pytest.fixture(scope="module")
def grey(tmp_path_factory):
    return predictor(tmp_path_factory.mktemp("grey"), GREY)


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (8, 6), dtype=np.uint8)


def save(tmp_path, image, name="a.png"):
    image.save(tmp_path / name)
    return str(tmp_path / name)


def test_an_image_of_the_right_size_is_taken_as_it_is(tmp_path, pixels):
    path = save(tmp_path, Image.fromarray(pixels))
    np.testing.assert_array_equal(read(path), pixels)
    np.testing.assert_array_equal(read(path, invert=True), 255 - pixels)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "LA", "1"])
def test_every_mode_becomes_grey(tmp_path, pixels, mode):
    black_and_white = np.where(pixels > 127, 255, 0).astype(np.uint8)
    path = save(tmp_path, Image.fromarray(black_and_white).convert(mode))
    np.testing.assert_allclose(read(path), black_and_white, atol=1)


def test_sixteen_bits_are_scaled_not_clipped(tmp_path, pixels):
    path = save(tmp_path, Image.fromarray(pixels.astype(np.uint16) * 257))
    np.testing.assert_allclose(read(path), pixels, atol=1)


def test_transparency_is_paper(tmp_path):
    image = Image.new("RGBA", (6, 8), (0, 0, 0, 0))
    assert (read(save(tmp_path, image)) == 255).all()


def test_other_sizes_jpeg_and_exif(tmp_path):
    left_dark = np.repeat(np.array([[0, 255]], np.uint8), 30, axis=1).repeat(80, axis=0)
    seen = read(save(tmp_path, Image.fromarray(left_dark), "a.jpg"))
    assert seen.shape == (8, 6) and seen[:, :2].max() < 30 and seen[:, -2:].min() > 225
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    Image.fromarray(left_dark).save(tmp_path / "b.jpg", exif=exif)
    turned = read(str(tmp_path / "b.jpg"))
    np.testing.assert_allclose(turned, seen[::-1, ::-1], atol=8)


def test_full_scale_of_the_training_data(tmp_path):
    digits = DatasetSpec("test", "rows", (8, 8), "uint8", ("a", "b"), full_scale=16.0)
    path = save(tmp_path, Image.new("L", (8, 8), 255))
    assert (read(path, digits) == 16).all()


def test_colour_models_read_colour(tmp_path):
    colour = DatasetSpec("test", "rows", (4, 4, 3), "uint8", ("a", "b"))
    path = save(tmp_path, Image.new("RGB", (4, 4), (10, 20, 30)))
    np.testing.assert_array_equal(read(path, colour)[0, 0], [10, 20, 30])


def test_the_wrong_polarity_is_told(tmp_path):
    path = save(tmp_path, Image.new("L", (6, 8), 250))
    assert "add --invert" in polarity_hint(path, False, background=0.0)
    assert polarity_hint(path, True, background=0.0) == ""
    assert polarity_hint(path, False, background=0.9) == ""


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_decompression_bomb_is_refused_by_the_graph(kind):
    """A small file of an enormous canvas: its header says so, and nothing is decoded."""
    bomb = io.BytesIO()
    Image.new("L", (20_000, 20_000)).save(bomb, kind)
    with pytest.raises(tf.errors.InvalidArgumentError, match="images of 1 to 16777216 pixels"):
        decode_images(tf.constant([bomb.getvalue()]), GREY)


def test_a_decompression_bomb_is_refused_before_it_is_sent(grey, tmp_path, monkeypatch):
    path = save(tmp_path, Image.new("L", (100, 100)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(DataError, match="not a readable image"):
        predict_file(grey, path)


@pytest.mark.parametrize("size", [(6, 8), (60, 80), (5, 300), (1, 1), (300, 5)])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_resizing_is_pillow_s_to_a_level(tmp_path, size, mode):
    noise = np.random.default_rng(2).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
    image = Image.fromarray(noise).convert(mode)
    expected = image.convert("L").resize((6, 8), Image.Resampling.LANCZOS)
    seen = read(save(tmp_path, image)).astype(int)
    # Where it enlarges, a kernel of the source's width: the two round differently at the border.
    np.testing.assert_allclose(seen, np.asarray(expected, int), atol=2)


@pytest.mark.parametrize(
    "junk", [b"", b"x", b"GIF89a" + b"0" * 99, b"\x89PNG\r\n\x1a\n" + b"0" * 50]
)
def test_a_file_that_is_no_image_is_refused_by_the_graph(junk):
    with pytest.raises(tf.errors.InvalidArgumentError):
        decode_images(tf.constant([junk]), GREY)


def test_only_image_data_have_the_signature():
    for spec, taken in (
        (GREY, True),
        (dataclasses.replace(GREY, raw_shape=(8, 6, 3)), True),
        (dataclasses.replace(GREY, raw_shape=(8, 6, 2)), False),
        (dataclasses.replace(GREY, raw_dtype="float32"), False),
        (dataclasses.replace(GREY, variable_length=True), False),
    ):
        assert spec.fits_image_file == taken


def test_sequences_are_no_images(tmp_path, pixels):
    floats = DatasetSpec("test", "rows", (8, 6), "float32", ("a", "b"))
    path = save(tmp_path, Image.fromarray(pixels))
    with pytest.raises(DataError, match=r"give a CSV, Parquet or .npz file, or a folder of"):
        predict_file(predictor(tmp_path, floats), path)


def test_files_that_are_no_images(grey, tmp_path):
    (tmp_path / "junk.png").write_bytes(b"junk")
    cut = save(tmp_path, Image.effect_noise((64, 64), 50), "cut.png")
    Path(cut).write_bytes(Path(cut).read_bytes()[:1000])
    for name in ("junk.png", "cut.png"):
        with pytest.raises(DataError, match=f"{name}: not a readable image"):
            predict_file(grey, str(tmp_path / name))
    with pytest.raises(DataError, match="nowhere.png: no such file"):
        predict_file(grey, str(tmp_path / "nowhere.png"))


def test_arrays_that_do_not_fit(grey, tmp_path):
    for x, message in (
        (
            np.zeros((2, 8, 7), np.uint8),
            r"`x` must be of shape \[N, 8, 6\] .* Received: \[2, 8, 7\]",
        ),
        (np.zeros((8, 6), np.uint8), r"Received: \[8, 6, 1\]"),  # one feature is added
        (np.zeros((0, 8, 6), np.uint8), r"Received: \[0, 8, 6\]"),
        (np.zeros((2, 8, 6)), "`x` must be uint8 for this model. Received: dtype float64"),
    ):
        np.savez(tmp_path / "a.npz", x=x)
        with pytest.raises(DataError, match=message):
            predict_file(grey, str(tmp_path / "a.npz"))


def test_an_npz_of_many_examples(grey, tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (300, 8, 6), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", x=x)
    answers = predict_file(grey, str(tmp_path / "a.npz"))
    assert [answer.source for answer in answers[:2]] == [f"{tmp_path}/a.npz[{i}]" for i in (0, 1)]
    alone = grey.predict(x[299:], None, ["last"])[0]
    np.testing.assert_allclose(answers[299].probabilities, alone.probabilities, atol=1e-6)

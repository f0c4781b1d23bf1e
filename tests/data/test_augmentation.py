"""Augmentation of training images, against SciPy's resampling and by its laws."""

import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from seqclf.data.augmentation import Augmentation, augment, positions, resample

rng = np.random.default_rng(0)


def images(*shape, dtype=np.uint8):
    return rng.integers(0, 256, shape).astype(dtype)


def seed(*pair):
    return tf.constant(pair, tf.int64)


@pytest.mark.parametrize("shape", [(28, 28, 1), (8, 8, 1), (6, 9, 3), (1, 5, 1), (5, 1, 2)])
def test_resampling_is_scipys(shape):
    height, width, channels = shape
    x = images(3, *shape)
    rows = rng.uniform(-2, height + 1, (3, height, width)).astype(np.float32)
    columns = rng.uniform(-2, width + 1, (3, height, width)).astype(np.float32)
    ours = resample(tf.constant(x), tf.constant(rows), tf.constant(columns)).numpy()
    for b in range(3):
        for c in range(channels):
            theirs = scipy.ndimage.map_coordinates(
                x[b, ..., c].astype(np.float64), [rows[b], columns[b]], order=1, mode="nearest"
            )
            np.testing.assert_allclose(ours[b, ..., c], theirs, atol=0.02)


def affine_of(x, augmentation, key):
    """Returns where augmentation moves each pixel, found from a ramp of rows and one of columns."""
    height, width = x.shape[1:3]
    ramps = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    both = np.stack(ramps, -1)[None].repeat(len(x), 0).astype(np.float32)
    return augment(tf.constant(both), key, augmentation).numpy()


def test_a_rotation_turns_by_at_most_its_angle_and_keeps_lengths():
    x = images(200, 41, 41)
    there = affine_of(x, Augmentation(rotation=30), seed(0, 1))  # [B, 41, 41, 2]
    along = there[:, 20, 25] - there[:, 20, 15]  # ten pixels along a row, near the centre
    np.testing.assert_allclose(np.linalg.norm(along, axis=-1), 10, atol=1e-3)
    angles = np.degrees(np.arctan2(along[:, 0], along[:, 1]))
    assert 25 < angles.max() <= 30.001 and -30.001 <= angles.min() < -25
    np.testing.assert_allclose(there[:, 20, 20], 20, atol=1e-3)  # the centre stays


def test_a_shift_moves_every_pixel_alike():
    there = affine_of(images(200, 20, 40), Augmentation(shift=0.1), seed(0, 1))
    moved = there - affine_of(images(1, 20, 40), Augmentation(), seed(0, 1))
    inner = moved[:, 4:-4, 6:-6]
    assert np.ptp(inner, axis=(1, 2)).max() < 1e-3
    assert 1.8 < np.abs(inner[..., 0]).max() <= 2.001  # a tenth of the height
    assert 3.6 < np.abs(inner[..., 1]).max() <= 4.001  # a tenth of the width


def test_scale_and_shear_keep_to_their_bounds():
    there = affine_of(images(300, 41, 41), Augmentation(scale=0.2), seed(3, 1))
    tall, wide = (
        there[:, 25, 20, 0] - there[:, 15, 20, 0],
        there[:, 20, 25, 1] - there[:, 20, 15, 1],
    )
    for side in (10 / tall, 10 / wide):  # how much larger the image became
        assert 0.799 < side.min() < 0.82 and 1.18 < side.max() < 1.201
    assert abs(np.corrcoef(tall, wide)[0, 1]) < 0.2  # each axis by itself
    there = affine_of(images(300, 41, 41), Augmentation(shear=20), seed(3, 1))
    slant = np.degrees(np.arctan2(there[:, 25, 20, 1] - there[:, 15, 20, 1], 10))
    assert 18 < slant.max() <= 20.001 and -20.001 <= slant.min() < -18
    np.testing.assert_allclose(there[:, 25, 20, 0] - there[:, 15, 20, 0], 10, atol=1e-3)


def test_elastic_displacements_have_their_deviation_and_are_smooth():
    there = affine_of(images(400, 40, 40), Augmentation(elastic=0.02), seed(5, 1))
    still = affine_of(images(1, 40, 40), Augmentation(), seed(5, 1))
    moved = (there - still)[:, 6:-6, 6:-6]
    deviation = moved.std(axis=(0, 3))
    np.testing.assert_allclose(deviation, 0.8, rtol=0.15)  # 0.02 of 40 pixels, everywhere
    for axis in (1, 2):
        assert np.diff(moved, axis=axis).std() < 0.3  # neighbours move together
    assert abs(moved.mean()) < 0.05


def test_flips_every_second_image():
    x = images(1000, 4, 6)
    new = augment(tf.constant(x), seed(0, 1), Augmentation(flip=True)).numpy()
    flipped = np.isclose(new, x[:, :, ::-1], atol=0.01).all((1, 2))
    same = np.isclose(new, x, atol=0.01).all((1, 2))
    assert (flipped ^ same).all()
    assert 430 < flipped.sum() < 570


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from([(5, 7), (5, 7, 3)]),
    st.sampled_from([np.uint8, np.float32]),
    st.integers(0, 99),
)
def test_laws(shape, dtype, key):
    x = tf.constant(images(4, *shape, dtype=dtype))
    strong = Augmentation(0.3, 40, 0.3, 20, 0.1, True)
    new = augment(x, seed(key, 2), strong)
    assert new.shape == x.shape and new.dtype == tf.float32
    np.testing.assert_array_equal(new, augment(x, seed(key, 2), strong))  # the seed decides
    assert np.abs(new - augment(x, seed(key, 3), strong)).max() > 1
    assert new.numpy().min() >= x.numpy().min() - 0.01  # weighted means stay between
    assert new.numpy().max() <= x.numpy().max() + 0.01
    grey = tf.fill(x.shape, tf.constant(77, x.dtype))
    np.testing.assert_allclose(augment(grey, seed(key, 2), strong), 77, rtol=1e-5)
    np.testing.assert_allclose(augment(x, seed(key, 2), Augmentation()), x, atol=0.01)


def test_all_together_is_the_map_of_the_docstring():
    """M = R(rotation) · [[1, 0], [tan shear, 1]] · diag(1 / scale), found from two moved ramps."""
    there = affine_of(images(50, 31, 41), Augmentation(0.1, 30, 0.2, 15, flip=True), seed(7, 1))
    centre = there[:, 15, 20]  # u = 0
    by_row, by_column = there[:, 16, 20] - centre, there[:, 15, 21] - centre  # columns of M
    M = np.stack([by_row, by_column], -1)  # [B, 2, 2]
    angle = np.arctan2(-M[:, 0, 1], M[:, 1, 1])  # the second column is R (0, 1 / scale)
    flipped = np.abs(angle) > np.pi / 2
    assert 15 < flipped.sum() < 35
    angle = np.where(flipped, angle - np.pi * np.sign(angle), angle)
    assert np.abs(angle).max() <= np.radians(30.01)
    cos, sin = np.cos(angle), np.sin(angle)
    inverse = np.stack([np.stack([cos, sin], -1), np.stack([-sin, cos], -1)], -2)
    rest = inverse @ M  # [[1, 0], [tan shear, 1]] · diag(1 / scale)
    np.testing.assert_allclose(rest[:, 0, 1], 0, atol=1e-4)
    slant = np.degrees(np.arctan(rest[:, 1, 0] / rest[:, 0, 0]))
    assert 10 < np.abs(slant).max() <= 15.01
    for scale in (1 / rest[:, 0, 0], 1 / np.abs(rest[:, 1, 1])):
        assert 0.799 <= scale.min() < 0.9 and 1.1 < scale.max() <= 1.201
    shift = np.linalg.solve(M, (centre - [15, 20])[..., None])[..., 0]
    assert 2 < np.abs(shift[:, 0]).max() <= 3.101 and 2.5 < np.abs(shift[:, 1]).max() <= 4.101


def test_places_are_centred():
    nothing = tf.constant([[[1.0, 0, 0], [0, 1, 0]]])
    rows, columns = positions(nothing, None, (3, 5))
    np.testing.assert_allclose(rows[0, :, 0], [0, 1, 2])
    np.testing.assert_allclose(columns[0, 0], [0, 1, 2, 3, 4])


def test_nothing_asked_for_is_false():
    assert not Augmentation()
    assert Augmentation(flip=True) and Augmentation(elastic=0.1)

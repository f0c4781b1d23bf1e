"""Augmentation of training images: shift, rotation, scale, shear, elastic distortion, flip.

All of them together are one resampling: for each pixel of the new image a position in the old image
is computed, and the four pixels around that position are weighted (bilinear interpolation). Centred
coordinates u = (row, column), in pixels, become

    M (u + s) + d(u),   M = R(rotation) · [[1, 0], [tan shear, 1]] · diag(1 / scale)

with a shift s and, for the elastic distortion, a displacement d that varies smoothly over the image
(Simard, Steinkraus & Platt 2003, "Best practices for convolutional neural networks applied to
visual document analysis", §2). They smooth uniform noise of every pixel; this module smooths normal
noise on a coarser grid of control points with a Gaussian of the same width. A flip negates the
second entry of the scale.
"""

import dataclasses
import functools
import math

import numpy as np
import tensorflow as tf

from seqclf.config import Config
from seqclf.data.dataset import DatasetSpec
from seqclf.errors import ConfigError
from seqclf.layers.compiled import compiled

SMOOTHING = 4 / 29  # deviation of the Gaussian as a fraction of the side, as in Simard et al.
POINTS = 10  # control points along a side; they lie closer together than that deviation


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """How far images are distorted, each image by its own random draw. 0 turns a distortion off.

    Attributes:
        shift: the largest shift in either direction, as a fraction of height and width.
        rotation: the largest rotation in either direction, in degrees.
        scale: the largest change of size of each axis, as a fraction.
        shear: the largest shear in either direction, in degrees.
        elastic: the standard deviation of a pixel's displacement, as a fraction of height and
            width.
        flip: whether each image is flipped left to right with a chance of one half.
    """

    shift: float = 0.0
    rotation: float = 0.0
    scale: float = 0.0
    shear: float = 0.0
    elastic: float = 0.0
    flip: bool = False

    def __bool__(self) -> bool:
        return any(dataclasses.astuple(self))


def augmentation_of(config: Config, spec: DatasetSpec) -> Augmentation | None:
    """Returns the augmentation that a resolved config asks for, or None if it asks for none.

    Raises:
        ConfigError: the config asks for augmentation and the examples are not images.
    """
    augmentation = Augmentation(**config.augment.to_dict())
    if augmentation and not spec.is_image:
        asked = [key for key, value in config.augment.to_dict().items() if value]
        raise ConfigError(
            f"`augment.{asked[0]}` distorts images: uint8 examples of one shape. {spec.source} has "
            f"{spec.raw_dtype} examples{' of varying lengths' * spec.variable_length}; set it to "
            f"{Augmentation.__dataclass_fields__[asked[0]].default}."
        )
    return augmentation or None


def augment(
    images: tf.Tensor,
    seed: tf.Tensor,
    augmentation: Augmentation,
    worker: int = 0,
    workers: int = 1,
) -> tf.Tensor:
    """Distorts images at random.

    Args:
        images: `[B, H, W]` or `[B, H, W, C]`, any real dtype; H and W are known.
        seed: int `[2]`; the same seed gives the same distortions.
        augmentation: how far images are distorted.
        worker: the index of the worker that has these rows of a batch of `B · workers` images. The
            distortions of the whole batch are drawn, so that each image gets the same one for any
            number of workers.
        workers: the number of workers.

    Returns:
        float32, of the shape of `images`. Beyond the border the nearest pixel is repeated.

    Example:
        >>> images = tf.zeros([8, 28, 28], tf.uint8)
        >>> augment(images, tf.constant([0, 1]), Augmentation(shift=0.1, rotation=10)).shape
        TensorShape([8, 28, 28])
    """
    size = tuple(images.shape[1:3])
    count = tf.shape(images)[0]
    affine, noise = draw_augmentation(count * workers, size, seed, augmentation)
    affine = affine[worker * count : (worker + 1) * count]
    noise = None if noise is None else noise[worker * count : (worker + 1) * count]
    affine = tf.ensure_shape(affine, [images.shape[0], 2, 3])
    return _compiled(images, affine, noise)


def positions(affine: tf.Tensor, noise: tf.Tensor | None, size: tuple[int, int]) -> list[tf.Tensor]:
    """Returns the position in the old image of each pixel of the new image.

    Args:
        affine: M and M s, `[B, 2, 3]`.
        noise: the elastic displacement at the control points, `[B, 2, POINTS, POINTS]`, or None.
        size: H and W.

    Returns:
        Rows and columns, counted from 0, float32 `[B, H, W]` each.
    """
    rows, columns = (np.arange(side, dtype=np.float32) - (side - 1) / 2 for side in size)
    found = []
    for axis in range(2):
        along_rows, along_columns, start = tf.split(affine[:, axis], 3, axis=1)  # [B, 1] each
        position = (start + along_rows * rows + (size[axis] - 1) / 2)[:, :, None]  # [B, H, 1]
        position += (along_columns * columns)[:, None, :]  # [B, H, W]
        if noise is not None:
            position += tf.einsum(
                "bij,ih,jw->bhw", noise[:, axis], _smoothing(size[0]), _smoothing(size[1])
            )
        found.append(position)
    return found


def resample(images: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor) -> tf.Tensor:
    """Reads images at positions between their pixels, by bilinear interpolation.

    Args:
        images: `[B, H, W, C]`, any real dtype.
        rows: the row of each position, `[B, H, W]`, counted from 0. Beyond the border the nearest
            pixel is read.
        columns: the column of each position, in the same way.

    Returns:
        float32 `[B, H, W, C]`.
    """
    _, height, width, channels = images.shape
    rows = tf.clip_by_value(rows, 0.0, height - 1.0)
    columns = tf.clip_by_value(columns, 0.0, width - 1.0)
    top = tf.clip_by_value(tf.floor(rows), 0.0, max(height - 2.0, 0.0))
    left = tf.clip_by_value(tf.floor(columns), 0.0, max(width - 2.0, 0.0))
    down, right = (rows - top)[..., None], (columns - left)[..., None]  # [B, H, W, 1]
    pixels = tf.reshape(tf.cast(images, tf.float32), [-1, channels])
    first = tf.range(tf.shape(images)[0])[:, None, None] * (height * width)
    corner = first + tf.cast(top, tf.int32) * width + tf.cast(left, tf.int32)
    one_down, one_right = width * (height > 1), int(width > 1)

    def at(offset: int) -> tf.Tensor:
        return tf.gather(pixels, corner + offset)  # [B, H, W, C]

    above = at(0) * (1 - right) + at(one_right) * right
    below = at(one_down) * (1 - right) + at(one_down + one_right) * right
    return above * (1 - down) + below * down


# XLA makes one pass of it, which takes a third of the time.
@functools.partial(compiled, jit_compile=True)
def _compiled(images: tf.Tensor, affine: tf.Tensor, noise: tf.Tensor | None) -> tf.Tensor:
    shape = tf.shape(images)
    if images.shape.rank == 3:
        images = images[..., None]
    new = resample(images, *positions(affine, noise, tuple(images.shape[1:3])))
    return tf.reshape(new, shape)


def draw_augmentation(
    count: tf.Tensor, size: tuple[int, int], seed: tf.Tensor, augmentation: Augmentation
) -> tuple[tf.Tensor, tf.Tensor | None]:
    """Draws a distortion for each of `count` images.

    Args:
        count: B, the number of images.
        size: H and W.
        seed: int `[2]`, the seed of the draws.
        augmentation: how far images are distorted.

    Returns:
        The arguments of `positions`: M and M s, `[B, 2, 3]`, and the elastic displacement at the
        control points, `[B, 2, POINTS, POINTS]`, or None.
    """
    draws = tf.random.stateless_uniform([7, count], seed, -1.0, 1.0)
    rotation = draws[0] * math.radians(augmentation.rotation)
    shear = tf.tan(draws[1] * math.radians(augmentation.shear))
    # Pixels of the old image for each pixel of the new one.
    per_row = 1.0 / (1.0 + draws[2] * augmentation.scale)
    per_column = 1.0 / (1.0 + draws[3] * augmentation.scale)
    if augmentation.flip:
        per_column = tf.where(draws[4] < 0, -per_column, per_column)
    shift_rows = draws[5] * (augmentation.shift * size[0])
    shift_columns = draws[6] * (augmentation.shift * size[1])
    cos, sin = tf.cos(rotation), tf.sin(rotation)
    rows = [(cos - sin * shear) * per_row, -sin * per_column]
    columns = [(sin + cos * shear) * per_row, cos * per_column]
    for line in (rows, columns):  # the last column of each line is M s
        line.append(line[0] * shift_rows + line[1] * shift_columns)
    affine = tf.stack([tf.stack(rows, -1), tf.stack(columns, -1)], axis=1)  # [B, 2, 3]
    if not augmentation.elastic:
        return affine, None
    noise = tf.random.stateless_normal([count, 2, POINTS, POINTS], seed + 1)
    deviation = augmentation.elastic * tf.constant(size, tf.float32)
    return affine, noise * deviation[:, None, None]


@functools.cache
def _smoothing(side: int) -> np.ndarray:
    """Returns the weight of each control point at each pixel of a side, `[POINTS, side]`.

    The squares of a pixel's weights sum to 1. Noise of deviation 1 therefore gives displacements of
    deviation 1 everywhere.
    """
    points = np.linspace(0, side - 1, POINTS)
    offsets = (np.arange(side)[None] - points[:, None]) / (SMOOTHING * side)
    weights = np.exp(-(offsets**2) / 2)
    scaled: np.ndarray = (weights / np.sqrt((weights**2).sum(axis=0))).astype(np.float32)
    return scaled

"""Decodes image files to raw examples with TensorFlow operations that every server has."""

import tensorflow as tf

from seqclf.data.dataset import DatasetSpec
from seqclf.serving.graph_assertions import require

MAX_PIXELS = 2**24  # 16.8 million, 4096 x 4096: a decoded image takes 100 MB at most
SMALLEST = 33  # bytes of the signature and the header of a PNG, the least that is read


def decode_images(image_bytes: tf.Tensor, spec: DatasetSpec) -> tf.Tensor:
    """Decodes image files of any size to raw examples.

    Transparent parts are laid on white. Colour becomes grey, or grey becomes colour, as the model
    needs it. The whole image is resized with Lanczos's filter of radius 3, and squeezed if its
    proportions differ. Nothing is turned or inverted: the EXIF orientation of a camera is ignored,
    and a model of bright strokes on a dark ground needs such images.

    Args:
        image_bytes: string `[B]`, the contents of PNG or JPEG files.
        spec: spec of the data, for which `fits_image_file` is true.

    Returns:
        uint8 `[B, *spec.raw_shape]`.

    Raises:
        InvalidArgumentError: when the graph runs, a file is neither PNG nor JPEG, is damaged, or
            has more than `MAX_PIXELS` pixels. The number of pixels is read from its header, before
            anything is decoded.
    """
    return tf.map_fn(
        lambda encoded: _decode(encoded, spec),
        image_bytes,
        fn_output_signature=tf.TensorSpec(spec.raw_shape, tf.uint8),
        parallel_iterations=2,  # bounds the memory of images that are decoded at a time
    )


def _decode(encoded: tf.Tensor, spec: DatasetSpec) -> tf.Tensor:
    kind = "image_bytes must be PNG or JPEG files, in JSON base64 under the key b64; bytes:"
    length = tf.strings.length(encoded)
    encoded = require(encoded, length >= SMALLEST, kind, length)
    # The standard puts the header first. A decoder would also find one further back.
    is_png = tf.equal(tf.strings.substr(encoded, 0, 16), b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    is_jpeg = tf.equal(tf.strings.substr(encoded, 0, 3), b"\xff\xd8\xff")
    encoded = require(encoded, is_png | is_jpeg, kind, length)
    size = tf.cond(
        is_png,
        lambda: tf.io.decode_raw(tf.strings.substr(encoded, 16, 8), tf.int32, little_endian=False),
        lambda: tf.image.extract_jpeg_shape(encoded)[:2],
    )  # [2]
    pixels = tf.reduce_prod(tf.cast(size, tf.int64))
    small = (pixels >= 1) & (pixels <= MAX_PIXELS) & (tf.reduce_min(size) >= 1)
    limit = f"image_bytes must be images of 1 to {MAX_PIXELS} pixels; sides received:"
    encoded = require(encoded, small, limit, size)
    image = tf.cond(
        is_png, lambda: tf.io.decode_png(encoded), lambda: _decode_jpeg(encoded)
    )  # [h, w, 1 to 4]
    image = _on_white(image)  # [h, w, 1 or 3]
    colour = len(spec.raw_shape) == 3 and spec.raw_shape[2] == 3
    image = _coloured(image) if colour else _grey(image)
    image = tf.image.resize(image, spec.raw_shape[:2], "lanczos3", antialias=True)
    image = tf.clip_by_value(image, 0.0, 255.0) * (spec.full_scale / 255)
    return tf.reshape(tf.cast(tf.round(image), tf.uint8), spec.raw_shape)


def _decode_jpeg(encoded: tf.Tensor) -> tf.Tensor:
    """Decodes a JPEG to the very pixels that Pillow decodes: by default they differ by up to 10."""
    return tf.io.decode_jpeg(encoded, dct_method="INTEGER_ACCURATE")


def _on_white(image: tf.Tensor) -> tf.Tensor:
    """Lays an image on white and drops its alpha channel.

    The arithmetic is in 16-bit integers, because floats would need twice the memory.
    """

    def lay() -> tf.Tensor:
        wide = tf.cast(image, tf.uint16)
        alpha = wide[..., -1:]
        return tf.cast((wide[..., :-1] * alpha + 255 * (255 - alpha)) // 255, tf.uint8)

    channels = tf.shape(image)[2]
    return tf.cond((channels == 2) | (channels == 4), lay, lambda: image)


def _grey(image: tf.Tensor) -> tf.Tensor:
    """Returns the luma of a colour image, and a grey image as it is.

    The weights are those of ITU-R BT.601 (0.299, 0.587, 0.114) in 256ths.
    """

    def luma() -> tf.Tensor:
        red, green, blue = tf.split(tf.cast(image, tf.uint16), [1, 1, 1], axis=2)
        return tf.cast((77 * red + 150 * green + 29 * blue) // 256, tf.uint8)

    return tf.cond(tf.shape(image)[2] == 3, luma, lambda: image)


def _coloured(image: tf.Tensor) -> tf.Tensor:
    return tf.cond(tf.shape(image)[2] == 1, lambda: tf.image.grayscale_to_rgb(image), lambda: image)

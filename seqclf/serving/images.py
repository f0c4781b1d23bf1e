"""Encoded pictures to a model's raw examples, as TensorFlow operations that any server has."""

import tensorflow as tf

from seqclf.data.dataset import DatasetSpec
from seqclf.serving.required import required

MAX_PIXELS = 2**24  # 16.8 million, 4096 x 4096: decoded, a picture may take 100 MB and no more
SMALLEST = 33  # bytes: the signature and the header of a PNG


def decode_images(image_bytes: tf.Tensor, spec: DatasetSpec) -> tf.Tensor:
    """Reads pictures of any size as raw examples.

    Transparent parts are laid on white; colour becomes grey, or grey colour, as the model wants it;
    the whole picture is resized (squeezed, if its proportions differ) with Lanczos's filter of
    radius 3. Nothing is turned or inverted: a camera's EXIF orientation is not looked at, and a
    model of bright strokes on a dark ground must be given such.

    Args:
        image_bytes: string `[B]`: PNG or JPEG files.
        spec: of the data; it `fits_image_file`.

    Returns:
        uint8 `[B, *spec.raw_shape]`.

    Raises:
        InvalidArgumentError: when run, for what is neither PNG nor JPEG, is damaged, or has more
            than `MAX_PIXELS` pixels: its header says so, and nothing is decoded.
    """
    return tf.map_fn(
        lambda encoded: _decode(encoded, spec),
        image_bytes,
        fn_output_signature=tf.TensorSpec(spec.raw_shape, tf.uint8),
        parallel_iterations=2,  # a bound on the memory of what is decoded at a time
    )


def _decode(encoded: tf.Tensor, spec: DatasetSpec) -> tf.Tensor:
    kind = "image_bytes must be PNG or JPEG files, in JSON base64 under the key b64; bytes:"
    length = tf.strings.length(encoded)
    encoded = required(encoded, length >= SMALLEST, kind, length)
    # Its header must come first, as the standard has it: a decoder also finds it further back.
    is_png = tf.equal(tf.strings.substr(encoded, 0, 16), b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    is_jpeg = tf.equal(tf.strings.substr(encoded, 0, 3), b"\xff\xd8\xff")
    encoded = required(encoded, is_png | is_jpeg, kind, length)
    size = tf.cond(
        is_png,
        lambda: tf.io.decode_raw(tf.strings.substr(encoded, 16, 8), tf.int32, little_endian=False),
        lambda: tf.image.extract_jpeg_shape(encoded)[:2],
    )  # [2]
    pixels = tf.reduce_prod(tf.cast(size, tf.int64))
    small = (pixels >= 1) & (pixels <= MAX_PIXELS) & (tf.reduce_min(size) >= 1)
    limit = f"image_bytes must be pictures of 1 to {MAX_PIXELS} pixels; sides received:"
    encoded = required(encoded, small, limit, size)
    image = tf.cond(
        is_png, lambda: tf.io.decode_png(encoded), lambda: tf.io.decode_jpeg(encoded)
    )  # [h, w, 1 to 4]
    image = _on_white(image)  # [h, w, 1 or 3]
    colour = len(spec.raw_shape) == 3 and spec.raw_shape[2] == 3
    image = _coloured(image) if colour else _grey(image)
    image = tf.image.resize(image, spec.raw_shape[:2], "lanczos3", antialias=True)
    image = tf.clip_by_value(image, 0.0, 255.0) * (spec.full_scale / 255)
    return tf.reshape(tf.cast(tf.round(image), tf.uint8), spec.raw_shape)


def _on_white(image: tf.Tensor) -> tf.Tensor:
    """Takes off the alpha channel, in 16-bit integers: floats would need twice the memory."""

    def lay() -> tf.Tensor:
        wide = tf.cast(image, tf.uint16)
        alpha = wide[..., -1:]
        return tf.cast((wide[..., :-1] * alpha + 255 * (255 - alpha)) // 255, tf.uint8)

    channels = tf.shape(image)[2]
    return tf.cond((channels == 2) | (channels == 4), lay, lambda: image)


def _grey(image: tf.Tensor) -> tf.Tensor:
    """Returns luma (ITU-R BT.601: 0.299, 0.587, 0.114) in 256ths; grey stays what it is."""

    def luma() -> tf.Tensor:
        red, green, blue = tf.split(tf.cast(image, tf.uint16), [1, 1, 1], axis=2)
        return tf.cast((77 * red + 150 * green + 29 * blue) // 256, tf.uint8)

    return tf.cond(tf.shape(image)[2] == 3, luma, lambda: image)


def _coloured(image: tf.Tensor) -> tf.Tensor:
    return tf.cond(tf.shape(image)[2] == 1, lambda: tf.image.grayscale_to_rgb(image), lambda: image)

"""Measures what the augmentation of images adds to a training step.

    python -m benchmarks.augmentation

Trains one model on MNIST-sized random images from four pipelines, which take turns. The first
leaves the images as they are. Two use `seqclf.data.augmentation` (shift, rotation, scale and shear,
with and without elastic distortion). One uses TensorFlow's batched `ImageProjectiveTransformV3`,
which has no elastic distortion. Prints the median time of a whole step, which includes waiting for
data, and its ratio to that without augmentation.
"""

import functools
import json
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import tensorflow as tf
from absl import app, flags

from seqclf.config import resolve
from seqclf.data import pipeline
from seqclf.data.augmentation import Augmentation, draw_augmentation
from seqclf.data.dataset import DatasetSpec, Split
from seqclf.data.normalization import as_sequences
from seqclf.models.classifier import build_classifier
from seqclf.storage.environment import describe_environment
from seqclf.storage.files import replacing
from seqclf.training.optimizers import build_optimizer
from seqclf.training.step import TrainStep

_ROUNDS = flags.DEFINE_integer("rounds", 15, "Number of turns of each pipeline.", lower_bound=1)
_STEPS = flags.DEFINE_integer("steps", 40, "Training steps in a turn.", lower_bound=1)
_OUT = flags.DEFINE_string("out", "runs/benchmarks", "Folder for the results.")

PLAIN = "none"
AFFINE = Augmentation(shift=0.06, rotation=10, scale=0.1, shear=6)
ELASTIC = Augmentation(shift=0.06, rotation=10, scale=0.1, shear=6, elastic=0.02)
EXAMPLES = 20_000
UNTIMED = 8


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected argument: {argv[1]}")
    config = resolve({"data": {"source": "random"}})
    names = tuple("0123456789")
    spec = DatasetSpec("random", "rows", (28, 28), "uint8", names, scale=(1 / 255,))
    model = build_classifier(config, spec)
    optimizer = build_optimizer(config, 1000)
    optimizer.build(model.trainable_variables)
    step = TrainStep(model, optimizer, config)
    batches = _pipelines(spec, config.batch_size)
    times: dict[str, list[float]] = {name: [] for name in batches}
    for turn in range(_ROUNDS.value + 1):
        for name, iterator in batches.items():
            for _ in range(UNTIMED):  # the other pipelines' work in progress ends meanwhile
                float(step(*next(iterator))[0])
            begun = time.perf_counter()
            for _ in range(_STEPS.value):
                float(step(*next(iterator))[0])
            if turn:  # the first one compiles
                times[name].append((time.perf_counter() - begun) / _STEPS.value * 1e3)
    plain = median(times[PLAIN])
    print("| distortions | step, ms (least – most) | × none |\n|---|--:|--:|")
    for name, of in times.items():
        print(
            f"| {name} | {median(of):.1f} ({min(of):.1f} – {max(of):.1f}) "
            f"| {median(of) / plain:.2f} |"
        )
    folder = Path(_OUT.value)
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / "augmentation.json") as temporary:
        results = {"environment": describe_environment(), "step_ms": times}
        temporary.write_text(json.dumps(results, indent=1) + "\n")
    print(f"results in {folder / 'augmentation.json'}")


def _pipelines(spec: DatasetSpec, batch_size: int) -> dict[str, Iterator[Any]]:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (EXAMPLES, 28, 28)).astype(np.uint8)
    split = Split(x, rng.integers(0, 10, EXAMPLES).astype(np.int32))
    ours = functools.partial(pipeline.training_batches, split, spec, batch_size, 0)
    return {
        PLAIN: iter(ours()),
        "ours, affine": iter(ours(augmentation=AFFINE)),
        "ours, affine and elastic": iter(ours(augmentation=ELASTIC)),
        "ImageProjectiveTransformV3, affine": iter(_projective(split, spec, batch_size)),
    }


def _projective(split: Split, spec: DatasetSpec, batch_size: int) -> tf.data.Dataset:
    """Returns batches like `training_batches`, with TensorFlow's operation for the affine map."""
    x, y = tf.constant(split.x), tf.constant(split.y)

    def augmented(index: tf.Tensor, step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        affine, _ = draw_augmentation(batch_size, (28, 28), tf.stack([0, step]), AFFINE)
        new = tf.raw_ops.ImageProjectiveTransformV3(
            images=tf.cast(tf.gather(x, index), tf.float32)[..., None],
            transforms=_as_transforms(affine),
            output_shape=[28, 28],
            fill_value=0.0,
            interpolation="BILINEAR",
            fill_mode="NEAREST",
        )
        return as_sequences(new[..., 0], spec), tf.gather(y, index)

    options = tf.data.Options()
    options.autotune.enabled = False
    indices = tf.data.Dataset.range(len(split)).shuffle(len(split)).repeat().batch(batch_size)
    batches = tf.data.Dataset.zip(indices, tf.data.Dataset.range(2**40))
    return batches.map(augmented, num_parallel_calls=2).prefetch(4).with_options(options)


def _as_transforms(affine: tf.Tensor) -> tf.Tensor:
    """Returns affine maps `[B, 2, 3]` as `ImageProjectiveTransformV3` takes them, `[B, 8]`.

    The operation counts pixels from the corner, and columns before rows.
    """
    matrix, shift = affine[..., :2], affine[..., 2]  # [B, 2, 2], [B, 2]
    centre = tf.constant([13.5, 13.5])
    shift = shift + centre - tf.linalg.matvec(matrix, centre)
    (yy, yx), (xy, xx) = (tf.unstack(row, axis=-1) for row in tf.unstack(matrix, axis=1))
    nothing = tf.zeros_like(yy)
    return tf.stack([xx, xy, shift[:, 1], yx, yy, shift[:, 0], nothing, nothing], axis=1)


if __name__ == "__main__":
    app.run(main)

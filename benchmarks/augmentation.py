"""What the augmentation of images adds to a training step.

    python -m benchmarks.augmentation

Trains one model on MNIST-sized random images from three pipelines in turns: as they are, distorted
by `seqclf.data.augmentation` (shift, rotation, scale, shear, with and without elastic), distorted
by TensorFlow's batched `ImageProjectiveTransformV3`, which knows no elastic distortion. Prints the
median time of a whole step, waiting for data included, and its ratio to that without distortions.
"""

import functools
import json
import os
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
from seqclf.data.augmentation import Augmentation
from seqclf.data.dataset import DatasetSpec, Split
from seqclf.data.normalization import as_sequences
from seqclf.environment import describe_environment
from seqclf.models import build_classifier
from seqclf.optimizers import build_optimizer
from seqclf.runs import replacing
from seqclf.steps import make_train_step

_ROUNDS = flags.DEFINE_integer("rounds", 15, "turns that each pipeline takes", lower_bound=1)
_STEPS = flags.DEFINE_integer("steps", 40, "steps of a turn", lower_bound=1)
_OUT = flags.DEFINE_string("out", "runs/benchmarks", "folder for the results")

PLAIN = "none"
AFFINE = Augmentation(shift=0.06, rotation=10, scale=0.1, shear=6)
ELASTIC = Augmentation(shift=0.06, rotation=10, scale=0.1, shear=6, elastic=0.02)
EXAMPLES = 20_000


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected argument: {argv[1]}")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    config = resolve({"data": {"source": "random"}})
    names = tuple("0123456789")
    spec = DatasetSpec("random", "rows", (28, 28), "uint8", names, scale=(1 / 255,))
    model = build_classifier(config, spec)
    optimizer = build_optimizer(config, 1000)
    optimizer.build(model.trainable_variables)
    step = make_train_step(model, optimizer, config)
    batches = _pipelines(spec, config.batch_size)
    times: dict[str, list[float]] = {name: [] for name in batches}
    for turn in range(_ROUNDS.value + 1):
        for name, iterator in batches.items():
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
        "ImageProjectiveTransformV3": iter(_projective(split, spec, batch_size)),
    }


def _projective(split: Split, spec: DatasetSpec, batch_size: int) -> tf.data.Dataset:
    def distorted(images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        new = tf.raw_ops.ImageProjectiveTransformV3(
            images=tf.cast(images, tf.float32)[..., None],
            transforms=_random_transforms(batch_size),
            output_shape=[28, 28],
            fill_value=0.0,
            interpolation="BILINEAR",
            fill_mode="NEAREST",
        )
        return as_sequences(new[..., 0], spec), labels

    options = tf.data.Options()
    options.autotune.enabled = False
    batches = tf.data.Dataset.from_tensor_slices((split.x, split.y)).shuffle(EXAMPLES).repeat()
    batches = batches.batch(batch_size, drop_remainder=True)
    return batches.map(distorted, num_parallel_calls=2).prefetch(4).with_options(options)


def _random_transforms(count: int) -> tf.Tensor:
    """Returns rotations about the centre with a shift, `[B, 8]`, as the operation takes them."""
    turn = tf.random.uniform([count], -1.0, 1.0) * np.radians(AFFINE.rotation)
    cos, sin = tf.cos(turn), tf.sin(turn)
    shift = tf.random.uniform([2, count], -1.0, 1.0) * 28 * AFFINE.shift
    centre = 13.5
    x0 = centre - cos * centre + sin * centre + shift[0]
    y0 = centre - sin * centre - cos * centre + shift[1]
    nothing = tf.zeros_like(turn)
    return tf.stack([cos, -sin, x0, sin, cos, y0, nothing, nothing], axis=1)


if __name__ == "__main__":
    app.run(main)

"""Measures what distortions of time series are worth, by validation on parts of training splits.

    python -m benchmarks.series_augmentation --sets=Gun=ts:GunPoint_TRAIN.ts --out=FILE

The files of --sets are training splits. Two fifths of each are held out, by class, with another
random choice for each repetition. A repetition trains the same weights on the same batches once
without a distortion and once with each; only the distortions differ.
"""

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from absl import app, flags

from seqclf.config import resolve
from seqclf.data.normalization import as_sequences
from seqclf.data.sources import load_dataset
from seqclf.models.classifier import build_classifier
from seqclf.training.optimizers import build_optimizer
from seqclf.training.step import TrainStep

_SETS = flags.DEFINE_list("sets", [], "NAME=SOURCE of training files.")
_OUT = flags.DEFINE_string("out", "series_augmentation.jsonl", "File for the results.")
_STEPS = flags.DEFINE_integer("steps", 200, "Steps of a training.")
_REPETITIONS = flags.DEFINE_integer("repetitions", 6, "Repetitions: splits, each with its seed.")

BATCH = 16
HELD_OUT = 0.4
TERMS = 4  # terms of a smooth random curve
NAMES = ("jitter", "scaling", "slice", "time_warp", "magnitude_warp")
STRENGTHS = (0.03, 0.1, 0.1, 0.2, 0.2)  # of Iwana & Uchida 2021 (arXiv:2007.15951)
DISTORTIONS = {"none": np.zeros(5, np.float32)} | {
    name: np.float32(STRENGTHS) * (np.arange(5) == i) for i, name in enumerate(NAMES)
}


def main(argv: list[str]) -> None:
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected argument: {argv[1]}")
    with Path(_OUT.value).open("a", encoding="utf-8") as out:
        trainings = {name: Trainings(source) for name, source in map(_named, _SETS.value)}
        for repetition in range(_REPETITIONS.value):
            for name, each in trainings.items():
                for distortion in DISTORTIONS:
                    row = {"set": name, "distortion": distortion, "repetition": repetition}
                    row |= each.train(repetition, distortion)
                    print(json.dumps(row), file=out, flush=True)


def _named(text: str) -> tuple[str, str]:
    name, _, source = text.partition("=")
    return name, source


def distort(x: tf.Tensor, lengths: tf.Tensor, key: tf.Tensor, strengths: tf.Tensor) -> tf.Tensor:
    """Returns distorted series, float32 `[B, T, D]`; steps beyond an example's length are 0.

    Args:
        x: normalised series, `[B, T, D]`.
        lengths: `[B]`.
        key: int `[2]`, the seed.
        strengths: float `[5]`: the deviation of jitter and of scaling, the fraction that `slice`
            cuts away, the deviation of the logarithm of the speed (time_warp) and of the factor
            (magnitude_warp).
    """
    jitter, scaling, cut, time_warp, magnitude_warp = tf.unstack(strengths)
    batch, steps, features = tf.unstack(tf.shape(x))
    last = tf.cast(lengths, tf.float32)[:, None] - 1
    time = tf.range(tf.cast(steps, tf.float32))[None] / tf.maximum(last, 1)  # [B, T], 0 to 1
    speed = tf.exp(time_warp * _curve(time, [batch, 1, 1], key + 1)[..., 0])
    speed = tf.where(time <= 1 + 1e-6, speed, 0.0)
    way = tf.cumsum(speed, 1) - speed[:, :1]
    begin = cut * tf.random.stateless_uniform([batch, 1], key + 2)
    at = begin + (1 - cut) * way / tf.maximum(way[:, -1:], 1e-6)
    position = tf.clip_by_value(at * last, 0.0, last)
    lower = tf.minimum(tf.floor(position), tf.maximum(last - 1, 0))
    part = (position - lower)[..., None]
    index = tf.cast(lower, tf.int32)
    following = tf.minimum(index + 1, steps - 1)
    before, after = (tf.gather(x, each, batch_dims=1) for each in (index, following))
    x = before * (1 - part) + after * part
    x *= 1 + scaling * tf.random.stateless_normal([batch, 1, features], key + 3)
    x *= 1 + magnitude_warp * _curve(time, [batch, 1, features], key + 4)
    x += jitter * tf.random.stateless_normal(tf.shape(x), key + 5)
    return tf.where(tf.sequence_mask(lengths, steps)[..., None], x, 0.0)


def _curve(time: tf.Tensor, shape: list[Any], key: tf.Tensor) -> Any:
    """Returns random smooth curves of mean 0 and deviation 1, `[B, T, D]`."""
    both = tf.random.stateless_normal([2, TERMS, *shape], key)
    curve = 0.0
    for k in range(TERMS):
        angle = np.pi * (k + 1) * time[..., None]
        curve += both[0, k] * tf.cos(angle) + both[1, k] * tf.sin(angle)
    return curve / TERMS**0.5


class Trainings:
    """Trainings on parts of one training split, all by the same compiled steps."""

    def __init__(self, source: str):
        self.source = source
        spec = load_dataset(source, validation=0.0, test=HELD_OUT).spec
        self.config = resolve({
            "data": {"source": source}, "batch_size": BATCH, "steps": _STEPS.value,
            "model": {"units": [16], "conv": [32, 64, 32], "dropout": 0.2},
            "optimizer": {"learning_rate": 0.003, "warmup_steps": 20}, "jit_compile": True,
        })  # fmt: skip
        self.model = build_classifier(self.config, spec)
        self.optimizer = build_optimizer(self.config, _STEPS.value)
        self.optimizer.build(self.model.trainable_variables)
        self.fresh = [v.numpy() for v in self.optimizer.variables]
        self.step = TrainStep(self.model, self.optimizer, self.config)
        self.distort = tf.function(distort, autograph=False, jit_compile=True)
        self.begun: dict[int, list[np.ndarray]] = {}  # weights by repetition
        self.score = tf.function(lambda inputs: self.model(inputs, training=False), autograph=False)

    def train(self, repetition: int, distortion: str) -> dict[str, Any]:
        """Trains once and returns loss and accuracy on what is held out."""
        data = load_dataset(self.source, validation=0.0, test=HELD_OUT, split_seed=repetition)
        if repetition not in self.begun:
            keras.utils.set_random_seed(repetition)
            fresh = build_classifier(self.config, data.spec)
            self.begun[repetition] = [variable.numpy() for variable in fresh.variables]
        for variable, value in zip(self.model.variables, self.begun[repetition], strict=True):
            variable.assign(value)
        for variable, value in zip(self.optimizer.variables, self.fresh, strict=True):
            variable.assign(value)
        x, lengths = _sequences(data.train, data.spec)
        rng = np.random.default_rng(repetition)
        for number in range(_STEPS.value):
            chosen = rng.choice(len(x), min(BATCH, len(x)), replace=False)
            key = tf.constant([repetition, 1000 * number], tf.int64)
            new = self.distort(x[chosen], lengths[chosen], key, DISTORTIONS[distortion])
            inputs = _inputs(new, lengths[chosen], data.spec)
            self.step(inputs, tf.constant(data.train.y[chosen]), 0.0)
        x, lengths = _sequences(data.test, data.spec)
        logits = self.score(_inputs(x, lengths, data.spec)).numpy()
        loss = keras.losses.sparse_categorical_crossentropy(data.test.y, logits, from_logits=True)
        right = (logits.argmax(-1) == data.test.y).mean()
        return {"loss": float(np.mean(loss)), "accuracy": float(right)}


def _sequences(split: Any, spec: Any) -> tuple[np.ndarray, np.ndarray]:
    lengths = split.lengths
    x = as_sequences(split.x, spec, lengths).numpy()
    return x, np.full(len(x), x.shape[1], np.int32) if lengths is None else lengths


def _inputs(x: Any, lengths: np.ndarray, spec: Any) -> Any:
    x = tf.convert_to_tensor(x)
    return {"sequences": x, "lengths": tf.constant(lengths)} if spec.variable_length else x


if __name__ == "__main__":
    app.run(main)

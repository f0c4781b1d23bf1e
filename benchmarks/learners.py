"""The contenders of `benchmarks.time_to_accuracy`: each trains as its users would write it.

All of them read MNIST's 54,000 training images row by row, in batches whose order follows from the
seed. A learner calls `report(step, predict)` every `EVERY` steps; `predict` takes raw test images.
"""

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from seqclf.config import Config, nest, resolve
from seqclf.config.recipes import load_recipe

UNITS = (100, 100)
BATCH = 100
STEPS = 3000
CONSTANT = 0.01  # the classic learning rate
PEAK, WARMUP, CLIP = 0.005, 200, 1.0  # our schedule: that of configs/mnist.py
EVERY = 100  # steps between reports

ReportCallback = Callable[[int, Callable[[np.ndarray], np.ndarray]], None]


class Data(NamedTuple):
    """uint8 images `[N, 28, 28]`, int32 labels `[N]`."""

    x: np.ndarray
    y: np.ndarray


def keras_learner(
    data: Data, seed: int, report: ReportCallback, begin: Callable, schedule: bool
) -> None:
    """Trains `keras.layers.GRU` with `model.fit`."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            keras.layers.GRU(UNITS[0], return_sequences=True),
            keras.layers.GRU(UNITS[1]),
            keras.layers.Dense(10),
        ]
    )
    rate = keras_schedule() if schedule else CONSTANT
    optimizer = keras.optimizers.Adam(rate, global_clipnorm=CLIP if schedule else None)
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))

    def predict(x: np.ndarray) -> np.ndarray:
        return model.predict(_unit(x), batch_size=1000, verbose=0).argmax(-1)

    class Reports(keras.callbacks.Callback):
        done = 0

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            del batch, logs
            self.done += 1
            if self.done == 1:
                begin()
            if self.done % EVERY == 0:
                report(self.done, predict)

    x, y = tf.constant(_unit(data.x)), tf.constant(data.y)
    order = tf.data.Dataset.range(len(data.y)).shuffle(len(data.y), seed).repeat()
    batches = order.batch(BATCH).map(lambda index: (tf.gather(x, index), tf.gather(y, index)))
    options = tf.data.Options()
    options.autotune.enabled = False  # TensorFlow 2.21 waits 20 s for it at the end of an epoch
    batches = batches.prefetch(4).with_options(options)
    model.fit(batches, steps_per_epoch=STEPS, shuffle=False, verbose=0, callbacks=[Reports()])


def torch_learner(
    data: Data, seed: int, report: ReportCallback, begin: Callable, schedule: bool
) -> None:
    """Trains PyTorch's `nn.GRU` with a plain loop."""
    import torch
    from torch import nn

    torch.manual_seed(seed)

    class Classifier(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gru = nn.GRU(28, UNITS[0], len(UNITS), batch_first=True)
            self.head = nn.Linear(UNITS[1], 10)

        def forward(self, x: Any) -> Any:
            return self.head(self.gru(x)[0][:, -1])

    model = Classifier()
    optimizer = torch.optim.Adam(model.parameters(), PEAK if schedule else CONSTANT)
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer, fraction_of_peak if schedule else lambda step: 1.0
    )
    loss_of = nn.CrossEntropyLoss()
    x, y = torch.from_numpy(_unit(data.x)), torch.from_numpy(data.y).long()

    def predict(images: np.ndarray) -> np.ndarray:
        parts = torch.from_numpy(_unit(images)).split(1000)
        with torch.inference_mode():
            return torch.cat([model(part).argmax(-1) for part in parts]).numpy()

    order: Iterator[Any] = iter(())
    for step in range(1, STEPS + 1):
        index = next(order, None)
        if index is None:
            order = iter(torch.randperm(len(y)).split(BATCH))
            index = next(order)
        optimizer.zero_grad()
        loss = loss_of(model(x[index]), y[index])
        loss.backward()
        if schedule:
            nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        scheduler.step()
        if step == 1:
            begin()
        if step % EVERY == 0:
            report(step, predict)


def seqclf_learner(
    data: Data, seed: int, report: ReportCallback, begin: Callable, recipe: Callable[[], Config]
) -> None:
    """Trains a recipe with the calls that `seqclf.training.loop.fit` makes."""
    from seqclf.data.augmentation import augmentation_of
    from seqclf.data.dataset import DatasetSpec, Split
    from seqclf.data.normalization import as_sequences, moments, with_normalization
    from seqclf.data.pipeline import training_batches
    from seqclf.training.loop import build
    from seqclf.training.optimizers import build_optimizer
    from seqclf.training.prediction import make_prediction_step
    from seqclf.training.step import TrainStep

    config = recipe().changed({"seed": seed})
    split = Split(data.x, data.y)
    spec = DatasetSpec("mnist", "rows", (28, 28), "uint8", tuple("0123456789"))
    spec = with_normalization(spec, config.data.normalize, lambda: moments(split, spec))
    model = build(config, spec)
    optimizer = build_optimizer(config, config.steps)
    optimizer.build(model.trainable_variables)
    train_step = TrainStep(model, optimizer, config)
    logits = make_prediction_step(model, jit_compile=True)

    def predict(x: np.ndarray) -> np.ndarray:
        parts = [logits(as_sequences(part, spec)).numpy() for part in np.split(x, len(x) // 1000)]
        return np.concatenate(parts).argmax(-1)

    count, augmentation = config.examples_per_step, augmentation_of(config, spec)
    batches = iter(training_batches(split, spec, count, seed, augmentation=augmentation))
    for step in range(1, config.steps + 1):
        loss, *_ = train_step(*next(batches))
        float(loss)  # waits until the step is done
        if step == 1:
            begin()
        if step % EVERY == 0:
            report(step, predict)


def classic_with_our_schedule() -> Config:
    """Returns the config with which seqclf trains what Keras and PyTorch train here."""
    return recipe_config("mnist_classic").changed(
        {
            "optimizer.schedule": "cosine",
            "optimizer.learning_rate": PEAK,
            "optimizer.warmup_steps": WARMUP,
            "optimizer.clip_norm": CLIP,
        }
    )


def mnist_fast() -> Config:
    """Returns the config of the recipe `mnist_fast`."""
    return recipe_config("mnist_fast")


def recipe_config(name: str) -> Config:
    """Returns the config of a packaged recipe."""
    return resolve(nest(load_recipe(name).values))


def _unit(x: np.ndarray) -> np.ndarray:
    return x.astype(np.float32) / 255


def keras_schedule() -> Any:
    """Returns Keras's schedule with warm-up and cosine decay."""
    import keras

    return keras.optimizers.schedules.CosineDecay(
        0.0, STEPS - WARMUP, warmup_target=PEAK, warmup_steps=WARMUP
    )


def fraction_of_peak(step: int) -> float:
    """Returns the same schedule for PyTorch's `LambdaLR`, as a fraction of the peak."""
    if step < WARMUP:
        return step / WARMUP
    return (1 + math.cos(math.pi * (step - WARMUP) / (STEPS - WARMUP))) / 2


LEARNERS: dict[str, Callable] = {
    "Keras, classic": partial(keras_learner, schedule=False),
    "PyTorch, classic": partial(torch_learner, schedule=False),
    "Keras, our schedule": partial(keras_learner, schedule=True),
    "PyTorch, our schedule": partial(torch_learner, schedule=True),
    "seqclf, our schedule": partial(seqclf_learner, recipe=classic_with_our_schedule),
    "seqclf, mnist_fast": partial(seqclf_learner, recipe=mnist_fast),
}

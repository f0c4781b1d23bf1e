"""The contenders of `benchmarks.speed`: the same model and Adam step in each framework."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from benchmarks.shape import CLASSES, DEPTH, Shape

LEARNING_RATE = 0.001


class Calls(NamedTuple):
    """A training step and an inference; both return when the result has been computed."""

    training: Callable[[], Any]
    inference: Callable[[], Any]


def seqclf(shape: Shape) -> Calls:
    """Returns the step that `seqclf.train` takes, and the inference of its validation."""
    return _seqclf(shape, native="auto")


def seqclf_xla(shape: Shape) -> Calls:
    """Returns the same without the native operations."""
    return _seqclf(shape, native="off")


def seqclf_layer(shape: Shape) -> Calls:
    """Returns the calls of our layer where Keras's would stand, as `keras.Model.fit` makes them."""
    from seqclf import GRU

    return _keras(shape, jit_compile=GRU(1).supports_jit, layer=GRU)


def _seqclf(shape: Shape, native: str) -> Calls:
    import tensorflow as tf

    from seqclf.config import resolve
    from seqclf.data.dataset import DatasetSpec
    from seqclf.models.classifier import build_classifier
    from seqclf.training.optimizers import build_optimizer
    from seqclf.training.prediction import make_prediction_step
    from seqclf.training.step import TrainStep

    spec = DatasetSpec(
        source="random",
        reading="rows",
        raw_shape=(shape.steps, shape.features),
        raw_dtype="float32",
        class_names=tuple(map(str, range(CLASSES))),
    )
    config = resolve(
        {
            "model": {"units": [shape.units] * DEPTH},
            "batch_size": shape.batch,
            "native": native,
            "optimizer": {
                "schedule": "constant",
                "learning_rate": LEARNING_RATE,
                "clip_norm": 0.0,
            },
        }
    )
    model = build_classifier(config, spec)
    optimizer = build_optimizer(config, 1)
    optimizer.build(model.trainable_variables)
    train_step = TrainStep(model, optimizer, config)
    predict = make_prediction_step(model, jit_compile=True, native=native != "off")
    x, y = (tf.constant(array) for array in _data(shape))
    return Calls(lambda: float(train_step(x, y)[0]), lambda: predict(x).numpy())


def keras_graph(shape: Shape) -> Calls:
    """Returns the calls of `keras.layers.GRU` in a `tf.function`."""
    return _keras(shape, jit_compile=False)


def keras_xla(shape: Shape) -> Calls:
    """Returns the calls of `keras.layers.GRU` in a `tf.function(jit_compile=True)`."""
    return _keras(shape, jit_compile=True)


def _keras(shape: Shape, jit_compile: bool, layer: Any = None) -> Calls:
    import keras
    import tensorflow as tf

    layers = [keras.Input((shape.steps, shape.features))]
    recurrent = layer or keras.layers.GRU
    layers += [recurrent(shape.units, return_sequences=i < DEPTH - 1) for i in range(DEPTH)]
    model = keras.Sequential([*layers, keras.layers.Dense(CLASSES)])
    optimizer = keras.optimizers.Adam(LEARNING_RATE)
    optimizer.build(model.trainable_variables)
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    x, y = (tf.constant(array) for array in _data(shape))

    @tf.function(jit_compile=jit_compile)
    def train_step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = loss_of(y, model(x, training=True))
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        return loss

    predict = tf.function(lambda x: model(x, training=False), jit_compile=jit_compile)
    return Calls(lambda: float(train_step(x, y)), lambda: predict(x).numpy())


def torch(shape: Shape) -> Calls:
    """Returns the calls of PyTorch's `nn.GRU`."""
    import torch
    from torch import nn

    class Classifier(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gru = nn.GRU(shape.features, shape.units, DEPTH, batch_first=True)
            self.head = nn.Linear(shape.units, CLASSES)

        def forward(self, x: Any) -> Any:
            return self.head(self.gru(x)[0][:, -1])

    model = Classifier()
    optimizer = torch.optim.Adam(model.parameters(), LEARNING_RATE)
    loss_of = nn.CrossEntropyLoss()
    x, y = (torch.from_numpy(array) for array in _data(shape))
    y = y.long()

    def train_step() -> float:
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    def predict() -> Any:
        with torch.inference_mode():
            return model(x).numpy()

    return Calls(train_step, predict)


def _data(shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.random((shape.batch, shape.steps, shape.features), dtype=np.float32)
    return x, rng.integers(0, CLASSES, shape.batch, dtype=np.int32)


CONTENDERS = {
    "seqclf": seqclf,
    "seqclf xla": seqclf_xla,
    "seqclf layer": seqclf_layer,
    "keras graph": keras_graph,
    "keras xla": keras_xla,
    "torch": torch,
}

"""A training step: its gradient, its figures, and what of it is compiled."""

import keras
import numpy as np
import pytest

from seqclf import build_classifier, load_dataset
from seqclf.config import resolve
from seqclf.training.distribution.workers import Workers
from seqclf.training.optimizers import build_optimizer
from seqclf.training.passes import LayerPasses, SharePasses, choose_passes
from seqclf.training.step import TrainStep


def config(**changes):
    model = {"units": [24], **changes.pop("model", {})}
    return resolve({"batch_size": 64, "model": model, **changes})


@pytest.fixture(scope="module")
def digits():
    return load_dataset("digits")


@pytest.mark.parametrize(
    ("changes", "kind", "compiles_step"),
    [
        ({"shares": 1, "native": "off"}, SharePasses, True),
        ({"shares": 3, "native": "off"}, SharePasses, False),
        ({"shares": 3, "model": {"conv": [4]}}, SharePasses, False),
        ({"shares": 3, "model": {"cell": "lstm"}}, SharePasses, False),
        ({"shares": 3, "model": {"dropout": 0.1}}, LayerPasses, False),
        ({"shares": 1, "jit_compile": False}, LayerPasses, False),
    ],
)
def test_what_is_compiled(changes, kind, compiles_step):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    passes = choose_passes(model, None, config(**changes), Workers())
    assert type(passes) is kind and passes.compiles_step is compiles_step


def test_one_step_is_keras_own(digits):
    """One step of ours equals `train_on_batch` of the same model built of Keras's layers."""
    chosen = config(optimizer={"name": "sgd", "schedule": "constant"}, label_smoothing=0.1)
    model = build_classifier(chosen, digits.spec)
    layers = [keras.Input((8, 8)), keras.layers.GRU(24, use_cudnn=False), keras.layers.Dense(10)]
    peer = keras.Sequential(layers)
    peer.set_weights(model.get_weights())
    peer.compile(
        keras.optimizers.SGD(0.005, momentum=0.9, global_clipnorm=1.0),
        keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
    )
    x = (digits.train.x[:32] / 16).astype("float32")
    y = digits.train.y[:32]
    step = TrainStep(model, build_optimizer(chosen, 10), chosen)
    for _ in range(3):
        loss, *_ = step(keras.ops.convert_to_tensor(x), keras.ops.convert_to_tensor(y))
        peer.reset_metrics()  # Keras 3.12 returns the mean over the calls
        expected = peer.train_on_batch(x, np.eye(10, dtype="float32")[y])
        assert float(loss) == pytest.approx(float(expected), rel=1e-5)
    for ours, theirs in zip(model.get_weights(), peer.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


@pytest.mark.parametrize("selection", [1, 3])
def test_a_step_learns_from_the_examples_of_largest_loss(digits, selection):
    """Its gradient is that of a step on these alone, its figures are those of all."""

    def stepped(x, y, **changes):
        chosen = config(optimizer={"name": "sgd", "schedule": "constant"}, **changes)
        keras.utils.set_random_seed(0)
        model = build_classifier(chosen, digits.spec)
        logits = model(x).numpy()
        results = TrainStep(model, build_optimizer(chosen, 10), chosen)(x, y)
        return logits, [float(result) for result in results], model.get_weights()

    x = keras.ops.convert_to_tensor((digits.train.x[:48] / 16).astype("float32"))
    y = keras.ops.convert_to_tensor(digits.train.y[:48])
    logits, (loss, right, *_), weights = stepped(x, y, batch_selection=selection)
    losses = keras.ops.convert_to_numpy(
        keras.losses.sparse_categorical_crossentropy(y, logits, from_logits=True)
    )
    hardest = np.argsort(-losses)[: 48 // selection]
    _, _, expected = stepped(keras.ops.take(x, hardest, 0), keras.ops.take(y, hardest, 0))
    for ours, theirs in zip(weights, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert loss == pytest.approx(losses.mean(), rel=1e-5)
    assert right == (logits.argmax(-1) == digits.train.y[:48]).sum()

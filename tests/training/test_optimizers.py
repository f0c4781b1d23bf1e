"""The learning-rate schedule, clipping and the choice of optimiser."""

import keras
import numpy as np
import pytest

from seqclf.config import resolve
from seqclf.training.optimizers import WarmupCosine, build_optimizer, learning_rates


def build(total=1000, precision="float32", **options):
    return build_optimizer(resolve({"optimizer": options, "precision": precision}), total)


def test_schedule_at_its_landmarks():
    schedule = WarmupCosine(peak=0.4, total_steps=110, warmup_steps=10, final=0.2)
    values = {step: float(schedule(step)) for step in (0, 4, 9, 10, 60, 110, 500)}
    expected = {0: 0.04, 4: 0.2, 9: 0.4, 10: 0.4, 60: 0.3, 110: 0.2, 500: 0.2}
    assert values == pytest.approx(expected)


def test_schedule_equals_keras_cosine_decay_after_the_warmup():
    ours = WarmupCosine(peak=0.1, total_steps=100, warmup_steps=0)
    theirs = keras.optimizers.schedules.CosineDecay(0.1, 100)
    for step in range(0, 121, 7):
        assert float(ours(step)) == pytest.approx(float(theirs(step)), abs=1e-8)


def test_schedule_survives_serialization():
    schedule = WarmupCosine(0.1, 50, 5, 0.01)
    config = keras.optimizers.schedules.serialize(schedule)
    again = keras.optimizers.schedules.deserialize(config)
    assert float(again(20)) == float(schedule(20))


def test_a_warmup_longer_than_the_run_is_halved():
    assert build(total=20, warmup_steps=200)._learning_rate.warmup_steps == 10


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd"])
def test_gradients_are_clipped_to_the_global_norm(name):
    # Two variables, a gradient of norm 500: together they may count for a norm of 1.
    results = []
    for norm, scale in ((1.0, 1.0), (0.0, 1 / 500)):
        optimizer = build(name=name, schedule="constant", learning_rate=0.1, clip_norm=norm)
        variables = [keras.Variable(np.zeros(2)), keras.Variable(np.zeros(1))]
        gradients = [np.array([300.0, 0.0]), np.array([400.0])]
        for _ in range(2):
            values = [keras.ops.convert_to_tensor(g * scale, "float32") for g in gradients]
            optimizer.apply(values, variables)
        results.append(np.concatenate([v.numpy() for v in variables]))
    np.testing.assert_allclose(results[0], results[1], rtol=1e-5)
    assert np.abs(results[0]).max() > 1e-3


def test_weight_decay_spares_biases():
    optimizer = build(name="adamw", weight_decay=0.5, schedule="constant", learning_rate=0.1)
    kernel = keras.Variable(np.ones((2, 2)), name="kernel")
    bias = keras.Variable(np.ones(2), name="bias")
    zeros = [keras.ops.zeros((2, 2)), keras.ops.zeros(2)]
    optimizer.apply(zeros, [kernel, bias])
    np.testing.assert_allclose(kernel.numpy(), 0.95)
    np.testing.assert_allclose(bias.numpy(), 1.0)


def test_float16_scales_the_loss():
    assert isinstance(build(precision="mixed_float16"), keras.optimizers.LossScaleOptimizer)
    assert not isinstance(build(), keras.optimizers.LossScaleOptimizer)


def test_learning_rates_of_a_figure_are_those_of_the_steps():
    config = resolve({"optimizer": {"learning_rate": 0.4, "warmup_steps": 7}})
    optimizer = build_optimizer(config, 40)
    variable = keras.Variable(np.zeros(1))
    taken = []
    for _ in range(31):  # the training stops early
        taken.append(float(optimizer.learning_rate))
        optimizer.apply([keras.ops.zeros(1)], [variable])
    steps, rates = learning_rates(config, 40, 30)
    assert steps.tolist() == list(range(31))
    np.testing.assert_allclose(rates, taken, rtol=1e-6)
    assert len(learning_rates(config, 10_000, 10_000)[0]) == 500
    constant = resolve({"optimizer": {"learning_rate": 0.4, "schedule": "constant"}})
    assert set(learning_rates(constant, 40, 30)[1]) == {0.4}

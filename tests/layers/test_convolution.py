"""ConvolutionBranch and its first weights: against PyTorch, and what padding must not change."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from seqclf.layers import ConvolutionBranch
from seqclf.layers.convolution import kernel_sizes

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 11, 3)).astype("float32")  # [B, T, D]
LENGTHS = np.array([11, 1, 4, 9])
MASK = np.arange(11) < LENGTHS[:, None]


def branch(filters=(6, 5, 4), **options):
    """Returns a branch whose weights are all random, those that start at 0 as well."""
    keras.utils.set_random_seed(0)
    layer = ConvolutionBranch(filters, **options)
    layer.build(X.shape)
    rng = np.random.default_rng(1)
    layer.set_weights([rng.normal(size=w.shape, scale=0.5) for w in layer.get_weights()])
    return layer


def by_torch(layer, sequence):
    """Returns the branch's output for one sequence `[T, D]` and the gradient of its sum."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    functional = torch.nn.functional
    x = torch.tensor(sequence.T[None].astype(np.float64))  # [1, D, T]
    weights = [torch.tensor(w.astype(np.float64), requires_grad=True) for w in layer.get_weights()]
    for i, (kernel, bias) in enumerate(zip(weights[::2], weights[1::2], strict=True)):
        apart = layer.dilation**i
        padded = functional.pad(x, ((kernel.shape[0] - 1) * apart, 0))
        x = torch.relu(functional.conv1d(padded, kernel.permute(2, 1, 0), bias, dilation=apart))
    output = x.mean(-1)[0]
    if layer.pooling == "max":
        output = torch.cat([output, x.amax(-1)[0]])
    output.sum().backward()
    return output.detach().numpy(), [w.grad.numpy() for w in weights]


@pytest.mark.parametrize("pooling", ["mean", "max"])
@pytest.mark.parametrize("dilation", [1, 2])
def test_output_and_gradients_are_pytorch_s(dilation, pooling):
    layer = branch(dilation=dilation, pooling=pooling)
    expected = [by_torch(layer, x[:length]) for x, length in zip(X, LENGTHS, strict=True)]
    with tf.GradientTape() as tape:
        output = layer(X, mask=MASK)
        total = tf.reduce_sum(output)
    np.testing.assert_allclose(output, [each for each, _ in expected], atol=1e-5)
    found = tape.gradient(total, [variable.value for variable in layer.trainable_variables])
    for gradient, *parts in zip(found, *(gradients for _, gradients in expected), strict=True):
        assert np.abs(gradient).max() > 1e-3
        np.testing.assert_allclose(gradient, sum(parts), atol=1e-4)


BRANCH = branch(pooling="max")


@settings(max_examples=20, deadline=None)
@given(length=st.integers(1, 20), padding=st.integers(0, 40), seed=st.integers(0, 2**32 - 1))
def test_padding_of_any_length_and_content_changes_nothing(length, padding, seed):
    rng, layer = np.random.default_rng(seed), BRANCH
    sequence = rng.normal(size=(1, length, 3)).astype("float32")
    filling = np.full((1, padding, 3), rng.choice([0.0, 7.0, np.nan, np.inf]), "float32")
    padded = np.concatenate([sequence, filling], axis=1)
    mask = np.arange(length + padding)[None] < length
    np.testing.assert_allclose(layer(padded, mask=mask), layer(sequence), atol=1e-6)


@pytest.mark.parametrize("pooling", ["mean", "max"])
@pytest.mark.parametrize("dilation", [1, 3])
def test_after_each_step_it_gives_what_the_prefix_would(dilation, pooling):
    layer = branch(dilation=dilation, pooling=pooling)
    steps = np.asarray(layer.after_each_step(X, MASK))
    for t in range(1, 12):
        prefixes = layer(X[:, :t], mask=MASK[:, :t])
        np.testing.assert_allclose(steps[:, t - 1], prefixes, atol=1e-6)
    np.testing.assert_allclose(layer.after_each_step(X)[:, -1], layer(X), atol=1e-6)


def test_masked_values_send_no_gradient_and_take_none():
    layer = branch()
    x = tf.constant(np.where(MASK[..., None], X, np.nan))
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(layer(x, mask=MASK))
    gradient = tape.gradient(total, x).numpy()
    assert (gradient[~MASK] == 0).all()
    reached = (gradient[MASK] != 0).any(axis=-1)  # not where ReLU stops every filter
    assert reached.mean() > 0.8


@pytest.mark.parametrize("pooling", ["mean", "max"])
def test_compiled_by_xla_it_gives_the_same(pooling):
    layer = branch(pooling=pooling)
    compiled = tf.function(layer, jit_compile=True)
    np.testing.assert_allclose(compiled(X, mask=MASK), layer(X, mask=MASK), atol=1e-5)


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_kernels_are_those_published_and_then_the_last_again(count):
    assert kernel_sizes(count) == (8, 5, 3, 3, 3)[:count]
    layer = branch(filters=range(2, 2 + count))
    assert [w.shape[0] for w in layer.get_weights()[::2]] == list(kernel_sizes(count))
    assert layer(X).shape == layer.compute_output_shape(X.shape) == (4, 1 + count)


def test_half_precision_is_close():
    layer = branch(dtype="mixed_bfloat16")
    found = layer(X, mask=MASK)
    assert found.dtype == "bfloat16" and layer.after_each_step(X).dtype == "bfloat16"
    exact = branch()(X, mask=MASK)
    np.testing.assert_allclose(np.asarray(found, "float32"), exact, atol=0.1)


def test_half_precision_averages_long_sequences_right():
    """A count or a sum in bfloat16 would stop at 256."""
    x = np.tile(X, [1, 300, 1])
    found = branch(dtype="mixed_bfloat16")(x)
    np.testing.assert_allclose(np.asarray(found, "float32"), branch()(x), atol=0.1)


def test_it_is_saved_with_a_model(tmp_path):
    model = keras.Sequential([keras.Input((None, 3)), branch(dilation=3, pooling="max")])
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(X), model(X))


@pytest.mark.parametrize("mask", [None, MASK])
def test_filters_begin_with_mean_0_and_deviation_1_on_the_examples(mask):
    layer = branch()
    x = np.full_like(X, np.nan) if mask is not None else X
    x = np.where(MASK[..., None], X, x)
    layer.fit_initial_weights(x, mask)
    valid = np.ones([4, 11], bool) if mask is None else mask
    x = np.where(valid[..., None], x, 0)
    for kernel, bias in zip(layer.get_weights()[::2], layer.get_weights()[1::2], strict=True):
        size = len(kernel)
        padded = np.pad(x, [(0, 0), (size - 1, 0), (0, 0)])
        parts = [padded[:, i : i + 11] @ kernel[i] for i in range(size)]
        given = sum(parts) + bias  # [B, T, F]
        np.testing.assert_allclose(given[valid].mean(axis=0), 0, atol=1e-5)
        np.testing.assert_allclose(given[valid].std(axis=0), 1, atol=1e-4)
        x = np.maximum(given, 0)


def test_filters_of_constant_examples_are_left_finite():
    layer = ConvolutionBranch([3])
    layer.build((None, 5, 1))
    layer.fit_initial_weights(np.zeros([2, 5, 1], "float32"))
    assert all(np.isfinite(w).all() for w in layer.get_weights())


def test_a_dilation_below_1_is_refused():
    with pytest.raises(ValueError, match=r"must be at least 1. Received: dilation=0"):
        ConvolutionBranch([4], dilation=0)


def test_an_unknown_pooling_is_refused():
    with pytest.raises(ValueError, match=r"`pooling` must be one of .* Received: pooling='sum'"):
        ConvolutionBranch([4], pooling="sum")


def test_the_largest_values_stand_behind_the_means():
    layer = branch(pooling="max")
    assert layer(X).shape == layer.compute_output_shape(X.shape) == (4, 8)
    np.testing.assert_allclose(layer(X)[:, :4], branch()(X), atol=1e-6)


@pytest.mark.parametrize("filters", [[], [4, 0]])
def test_filters_that_are_none_are_refused(filters):
    with pytest.raises(ValueError, match=r"at least one number, and none below 1. Received: fil"):
        ConvolutionBranch(filters)

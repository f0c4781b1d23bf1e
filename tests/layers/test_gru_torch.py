"""GRU against PyTorch's nn.GRU: outputs and gradients with the same weights."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from seqclf import GRU
from seqclf.layers.execution import execution

torch = pytest.importorskip(
    "torch", reason="PyTorch is not installed: pip install 'seqclf[peers]' or make test TORCH=1"
)


def to_torch(array, H):
    """Keras's `[·, 3H]` in the order z, r, h becomes PyTorch's `[3H, ·]` in the order r, z, n.

    Both write h = z ⊙ h + (1 - z) ⊙ n.
    """
    z, r, h = array[..., :H], array[..., H : 2 * H], array[..., 2 * H :]
    return torch.tensor(np.concatenate([r, z, h], axis=-1).T.copy())


def from_torch(tensor, H):
    r, z, h = np.split(tensor.detach().numpy(), 3, axis=0)
    return np.concatenate([z, r, h], axis=0).T


@given(
    shape=st.permutations([2, 3, 4, 6]).map(tuple),
    seed=st.integers(0, 2**32 - 1),
    use_bias=st.booleans(),
    training=st.booleans(),
)
def test_outputs_and_gradients_equal_pytorch(shape, seed, use_bias, training):
    B, T, D, H = shape
    rng = np.random.default_rng(seed)
    x, h0 = rng.normal(size=(B, T, D)), rng.normal(size=(B, H))
    upstream = rng.normal(size=(B, T, H))
    layer = GRU(H, return_sequences=True, use_bias=use_bias, dtype="float64")
    layer.build((None, None, D))
    weights = [rng.normal(0, 0.7, w.shape) for w in layer.get_weights()]
    layer.set_weights(weights)
    tensors = [tf.constant(x), tf.constant(h0)]
    with tf.GradientTape() as tape, execution(xla="off"):
        tape.watch(tensors)
        outputs = layer(tensors[0], initial_state=tensors[1], training=training)
        loss = tf.reduce_sum(outputs * upstream)
    gradients = tape.gradient(loss, tensors + [v.value for v in layer.trainable_variables])

    assert layer.path.startswith("bptt")
    peer = torch.nn.GRU(D, H, bias=use_bias, batch_first=True, dtype=torch.float64)
    parameters = [peer.weight_ih_l0, peer.weight_hh_l0]
    arrays = [weights[0], weights[1]]
    if use_bias:
        parameters += [peer.bias_ih_l0, peer.bias_hh_l0]
        arrays += [weights[2][0], weights[2][1]]
    with torch.no_grad():
        for parameter, array in zip(parameters, arrays, strict=True):
            parameter.copy_(to_torch(array, H))
    torch_x = torch.tensor(x, requires_grad=True)
    torch_h0 = torch.tensor(h0, requires_grad=True)
    torch_outputs, _ = peer(torch_x, torch_h0[None])
    (torch_outputs * torch.tensor(upstream)).sum().backward()

    np.testing.assert_allclose(outputs, torch_outputs.detach().numpy(), atol=1e-12)
    theirs = [torch_x.grad.numpy(), torch_h0.grad.numpy()]
    theirs += [from_torch(p.grad, H) for p in parameters[:2]]
    if use_bias:
        theirs.append(np.stack([from_torch(p.grad, H) for p in parameters[2:]]))
    for a, b in zip(gradients, theirs, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-10)

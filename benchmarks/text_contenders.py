"""The contenders of `benchmarks.text`: one language model, trained in eight ways.

All of them train the model of the textbook: one-hot characters, one GRU, a softmax over the
vocabulary at every time step; gradient descent, the gradient clipped to a norm of 1; the state
carried from batch to batch. All begin with the same weights and see the same batches.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Weights = dict[str, np.ndarray]  # W [V, 3H], U [H, 3H], b [3H] or [2, 3H], V [H, V], c [V]
Epoch = Callable[[], float]  # trains for one epoch, and returns the mean loss in nats


@dataclass(frozen=True)
class Task:
    """The text, the model and the learning rate that all contenders are given.

    Attributes:
        tokens: int32 `[steps, B, T + 1]`, the batches of one epoch; the last column is a label.
        size: V, the number of different tokens.
        units: H.
        rate: the learning rate.
    """

    tokens: np.ndarray
    size: int
    units: int
    rate: float

    def weights(self, reset_after: bool) -> Weights:
        """Returns initial weights, blocks in the order z, r, h (Glorot; orthogonal for U)."""
        rng = np.random.default_rng(0)
        limit = np.sqrt(6 / (self.size + 3 * self.units))
        blocks = [np.linalg.qr(rng.normal(size=[self.units] * 2))[0] for _ in range(3)]
        return {
            "W": rng.uniform(-limit, limit, [self.size, 3 * self.units]).astype(np.float32),
            "U": np.concatenate(blocks, axis=1).astype(np.float32),
            "b": np.zeros([2, 3 * self.units] if reset_after else [3 * self.units], np.float32),
            "V": rng.uniform(-limit, limit, [self.units, self.size]).astype(np.float32),
            "c": np.zeros(self.size, np.float32),
        }


def ours(task: Task, reset_after: bool) -> Epoch:
    """Seqclf's model and training step."""
    import tensorflow as tf

    from seqclf.config import resolve
    from seqclf.data.dataset import DatasetSpec
    from seqclf.data.text.token_spec import TokenSpec
    from seqclf.training.loop import build
    from seqclf.training.optimizers import build_optimizer
    from seqclf.training.step import TrainStep

    _, batch, window = task.tokens.shape
    config = resolve(
        {
            "data": {"source": "text:timemachine"},
            "model": {"units": [task.units], "reset_after": reset_after},
            "optimizer": {
                "name": "sgd",
                "momentum": 0.0,
                "learning_rate": task.rate,
                "schedule": "constant",
                "clip_norm": 1.0,
            },
            "batch_size": batch,
        }
    )
    names = tuple(map(str, range(task.size)))
    spec = DatasetSpec("text", "rows", (window - 1, 1), "int32", names, tokens=TokenSpec())
    model = build(config, spec)
    model.set_weights(list(task.weights(reset_after).values()))
    optimizer = build_optimizer(config, 1)
    optimizer.build(model.trainable_variables)
    step = TrainStep(model, optimizer, config)
    batches = [
        (
            {
                "tokens": tf.constant(b[:, :-1]),
                "goes_on": tf.fill([batch], tf.constant(int(i > 0))),
            },
            tf.constant(b[:, 1:]),
        )
        for i, b in enumerate(task.tokens)
    ]

    def epoch() -> float:
        return float(np.mean([float(step(x, y).loss) for x, y in batches]))

    return epoch


def keras_layer(task: Task, reset_after: bool, jit_compile: bool) -> Epoch:
    """keras.layers.GRU in a custom training step, as a graph or compiled by XLA."""
    import keras
    import tensorflow as tf

    batch = task.tokens.shape[1]
    gru = keras.layers.GRU(
        task.units, return_sequences=True, return_state=True, reset_after=reset_after
    )
    head = keras.layers.Dense(task.size)
    gru.build((batch, None, task.size))
    head.build((batch, None, task.units))
    weights = list(task.weights(reset_after).values())
    gru.set_weights(weights[:3])
    head.set_weights(weights[3:])
    variables = [*gru.trainable_variables, *head.trainable_variables]
    optimizer = keras.optimizers.SGD(task.rate, global_clipnorm=1.0)
    optimizer.build(variables)

    @tf.function(jit_compile=jit_compile)
    def step(x: Any, y: Any, state: Any) -> Any:
        with tf.GradientTape() as tape:
            hidden, after = gru(tf.one_hot(x, task.size), initial_state=state, training=True)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, head(hidden))
            loss = tf.reduce_mean(losses)
        optimizer.apply(tape.gradient(loss, variables), variables)
        return loss, after

    batches = [(tf.constant(b[:, :-1]), tf.constant(b[:, 1:])) for b in task.tokens]

    def epoch() -> float:
        state, losses = tf.zeros([batch, task.units]), []
        for x, y in batches:
            loss, state = step(x, y, state)
            losses.append(float(loss))
        return float(np.mean(losses))

    return epoch


def torch_training(
    task: Task, parameters: Sequence[Any], forward: Callable[[Any, Any], tuple[Any, Any]]
) -> Epoch:
    """The training loop of both contenders of PyTorch.

    Args:
        task: what is learnt.
        parameters: what is trained.
        forward: from one-hot tokens `[B, T, V]` and a state to logits and the state after.
    """
    import torch

    optimizer = torch.optim.SGD(parameters, lr=task.rate)
    batches = [
        (torch.tensor(b[:, :-1], dtype=torch.long), torch.tensor(b[:, 1:], dtype=torch.long))
        for b in task.tokens
    ]

    def epoch() -> float:
        state = torch.zeros(task.tokens.shape[1], task.units)
        losses = []
        for x, y in batches:
            one_hot = torch.nn.functional.one_hot(x, task.size).float()
            logits, state = forward(one_hot, state.detach())
            loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), y.flatten())
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            losses.append(loss.item())
        return float(np.mean(losses))

    return epoch


def torch_from_scratch(task: Task) -> Epoch:
    """The GRU as the textbook writes it out, one time step after another (reset before)."""
    import torch

    weights = task.weights(reset_after=False)
    W, U, b = (weights[name].reshape(-1, 3, task.units) for name in ("W", "U", "b"))
    blocks = []
    for i in range(3):  # update gate, reset gate, candidate state
        blocks += [W[:, i], U[:, i], b[0, i]]
    parameters = [
        torch.tensor(np.ascontiguousarray(each), requires_grad=True)
        for each in (*blocks, weights["V"], weights["c"])
    ]
    W_xz, W_hz, b_z, W_xr, W_hr, b_r, W_xh, W_hh, b_h, W_hq, b_q = parameters

    def forward(inputs: Any, H: Any) -> tuple[Any, Any]:
        outputs = []
        for X in inputs.unbind(1):
            Z = torch.sigmoid(X @ W_xz + H @ W_hz + b_z)
            R = torch.sigmoid(X @ W_xr + H @ W_hr + b_r)
            H_tilda = torch.tanh(X @ W_xh + (R * H) @ W_hh + b_h)
            H = Z * H + (1 - Z) * H_tilda
            outputs.append(H @ W_hq + b_q)
        return torch.stack(outputs, dim=1), H

    return torch_training(task, parameters, forward)


def torch_layer(task: Task) -> Epoch:
    """torch.nn.GRU (reset after)."""
    import torch

    weights = task.weights(reset_after=True)
    gru = torch.nn.GRU(task.size, task.units, batch_first=True)
    head = torch.nn.Linear(task.units, task.size)
    order = [1, 0, 2]  # PyTorch's blocks are r, z, h

    def moved(array: np.ndarray) -> Any:
        blocks = array.reshape(*array.shape[:-1], 3, task.units)[..., order, :]
        return torch.tensor(blocks.reshape(array.shape).T.copy())

    with torch.no_grad():
        gru.weight_ih_l0.copy_(moved(weights["W"]))
        gru.weight_hh_l0.copy_(moved(weights["U"]))
        gru.bias_ih_l0.copy_(moved(weights["b"][0]))
        gru.bias_hh_l0.copy_(moved(weights["b"][1]))
        head.weight.copy_(torch.tensor(weights["V"].T.copy()))
        head.bias.copy_(torch.tensor(weights["c"]))

    def forward(inputs: Any, state: Any) -> tuple[Any, Any]:
        hidden, last = gru(inputs, state[None])
        return head(hidden), last[0]

    return torch_training(task, [*gru.parameters(), *head.parameters()], forward)


# name -> the contender, and where the reset gate is applied
CONTENDERS: dict[str, tuple[Callable[[Task], Epoch], str]] = {
    "seqclf, before": (lambda task: ours(task, False), "before"),
    "seqclf, after": (lambda task: ours(task, True), "after"),
    "keras.layers.GRU, before": (lambda task: keras_layer(task, False, False), "before"),
    "keras.layers.GRU, after": (lambda task: keras_layer(task, True, False), "after"),
    "keras.layers.GRU with XLA, before": (lambda task: keras_layer(task, False, True), "before"),
    "keras.layers.GRU with XLA, after": (lambda task: keras_layer(task, True, True), "after"),
    "PyTorch from scratch, before": (torch_from_scratch, "before"),
    "torch.nn.GRU, after": (torch_layer, "after"),
}

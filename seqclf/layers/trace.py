"""What a recurrent layer does at each step: states, gates and candidate over whole sequences."""

from typing import NamedTuple

import tensorflow as tf
from tensorflow import Tensor

from seqclf.layers.execution import choose
from seqclf.layers.loop import loop
from seqclf.layers.recurrent import Recurrent


class Trace(NamedTuple):
    """A recurrent layer's reading of sequences.

    Attributes:
        inputs: what it read, `[B, T, D]`, 0 at masked steps.
        states: `state`, h_t, and an LSTM's `cell_state`, c_t, `[B, T, H]` each. At a masked step
            they are those of the step before.
        gates: by name, such as `update_gate`, `[B, T, H]` each; none in a plain RNN. At a masked
            step gates and candidate are what they would have been.
        candidate: the candidate state, `[B, T, H]`.
        kept: how much of its past each unit kept as it was, `[B, T, H]`; None where no gate says.
    """

    inputs: Tensor
    states: dict[str, Tensor]
    gates: dict[str, Tensor]
    candidate: Tensor
    kept: Tensor | None

    @property
    def state(self) -> Tensor:
        """h_t, `[B, T, H]`."""
        return self.states["state"]


def trace(
    layer: Recurrent,
    sequences: Tensor,
    mask: Tensor | None = None,
    nudges: list[Tensor] | None = None,
) -> Trace:
    """Reads sequences from a zero state, as inference does, and keeps all that happens.

    Args:
        layer: built, not `go_backwards`.
        sequences: `[B, T, D]`.
        mask: bool `[B, T]` or None.
        nudges: `[B, T, H]` for each state of the cell, added to it after each step; zeros, so that
            the gradient with respect to them is that with respect to the states.

    Raises:
        ValueError: the layer reads backwards.

    Example:
        >>> layer = GRU(4)
        >>> _ = layer(np.ones([2, 5, 3], "float32"))
        >>> trace(layer, np.ones([2, 5, 3], "float32")).gates["update_gate"].shape
        TensorShape([2, 5, 4])
    """
    if layer.go_backwards:
        raise ValueError(f"Layer {layer.name} cannot be traced: it reads backwards.")
    cell = layer.cell
    x = tf.cast(sequences, layer.compute_dtype)
    keep = [] if mask is None else [tf.transpose(mask)[..., None]]  # [T, B, 1]
    if mask is not None:
        x = tf.where(mask[..., None], x, tf.zeros_like(x))
    plan = choose(
        steps=x.shape[1], batch=None, training=False, unroll=layer.unroll, gpu=False, cudnn=False
    )
    names: list[str] = []

    def step(before: list[Tensor], a: Tensor, *more: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        after, parts = cell.step(a, before)
        if keep:
            after = [tf.where(more[0], *pair) for pair in zip(after, before, strict=True)]
        if nudges:
            after = [tf.add(*pair) for pair in zip(after, more[len(keep) :], strict=True)]
        names[:] = [*cell.state_names, *parts]
        return after, [*after, *parts.values()]

    a = tf.transpose(cell.read(x), [1, 0, 2])  # [T, B, G·H]
    nothing = [tf.zeros([tf.shape(x)[0], layer.units], x.dtype) for _ in cell.state_names]
    kept = len(cell.state_names) + len(cell.blocks)
    inputs = [a, *keep, *(tf.transpose(nudge, [1, 0, 2]) for nudge in nudges or ())]
    _, values = loop(step, nothing, inputs, kept, plan.unroll)
    by_name = dict(zip(names, (tf.transpose(v, [1, 0, 2]) for v in values), strict=True))
    return Trace(
        inputs=x,
        states={name: by_name.pop(name) for name in cell.state_names},
        candidate=by_name.pop("candidate"),
        gates=by_name,
        kept=cell.kept(by_name),
    )

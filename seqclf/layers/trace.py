"""Traces: the states, gates and candidates of a recurrent layer at every time step."""

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf
from tensorflow import Tensor

from seqclf.layers.execution import choose
from seqclf.layers.length_mask import time_major_mask
from seqclf.layers.loop import loop
from seqclf.layers.recurrent import Recurrent


class Trace(NamedTuple):
    """The trace of a recurrent layer over sequences.

    Attributes:
        inputs: the layer's inputs, `[B, T, D]`, with 0 at masked time steps.
        states: `state`, h_t, and for an LSTM also `cell_state`, c_t, `[B, T, H]` each. A masked
            time step has the states of the time step before.
        gates: gates by name, such as `update_gate`, `[B, T, H]` each; empty for a plain recurrent
            network. A masked time step has the gates and the candidate that it would have without
            the mask.
        candidate: the candidate state, `[B, T, H]`.
        kept: the fraction of its past that each unit kept unchanged, `[B, T, H]`; None for a cell
            in which no gate says so.
    """

    inputs: Tensor
    states: dict[str, Tensor]
    gates: dict[str, Tensor]
    candidate: Tensor
    kept: Tensor | None

    @property
    def state(self) -> Tensor:
        """The state h_t, `[B, T, H]`."""
        return self.states["state"]


def trace(
    layer: Recurrent,
    sequences: Tensor,
    mask: Tensor | None = None,
    nudges: Sequence[Tensor] | None = None,
    initial: Sequence[Tensor] | None = None,
) -> Trace:
    """Runs a layer without dropout, and keeps what happens at every time step.

    Args:
        layer: a built layer that does not go backwards.
        sequences: `[B, T, D]`.
        mask: bool `[B, T]` or None.
        nudges: one tensor `[B, T, H]` for each state of the cell, added to the state after each
            time step. The gradient with respect to nudges of zeros is the one with respect to the
            states.
        initial: the states before the first time step, `[B, H]` each; None: zeros.

    Raises:
        ValueError: the layer goes backwards.

    Example:
        >>> layer = GRU(4)
        >>> _ = layer(np.ones([2, 5, 3], "float32"))
        >>> trace(layer, np.ones([2, 5, 3], "float32")).gates["update_gate"].shape
        TensorShape([2, 5, 4])
    """
    if layer.go_backwards:
        raise ValueError(f"Layer {layer.name} cannot be traced: it reads backwards.")
    x = tf.cast(sequences, layer.compute_dtype)
    if mask is not None:
        x = tf.where(mask[..., None], x, tf.zeros_like(x))
    values = _values_by_name(layer, x, mask, nudges or (), initial)
    return Trace(
        inputs=x,
        states={name: values.pop(name) for name in layer.cell.state_names},
        candidate=values.pop("candidate"),
        gates=values,
        kept=layer.cell.kept(values),
    )


def _values_by_name(
    layer: Recurrent,
    x: Tensor,
    mask: Tensor | None,
    nudges: Sequence[Tensor],
    initial: Sequence[Tensor] | None,
) -> dict[str, Tensor]:
    """Returns states, gates and candidate by name, `[B, T, H]` each, in the order of the cell.

    Args:
        layer: the layer.
        x: its inputs, `[B, T, D]`.
        mask: bool `[B, T]` or None.
        nudges: see `trace`.
        initial: see `trace`.
    """
    cell = layer.cell
    names: list[str] = []
    masks = [] if mask is None else [time_major_mask(mask)[..., None]]  # [T, B, 1]

    def step(
        before: list[Tensor], a: Tensor, *masks_and_nudges: Tensor
    ) -> tuple[list[Tensor], list[Tensor]]:
        after, parts = cell.step(a, before)
        if masks:
            valid = masks_and_nudges[0]
            after = [tf.where(valid, *pair) for pair in zip(after, before, strict=True)]
        if nudges:
            nudges_t = masks_and_nudges[len(masks) :]
            after = [tf.add(*pair) for pair in zip(after, nudges_t, strict=True)]
        names[:] = [*cell.state_names, *parts]
        return after, [*after, *parts.values()]

    a = _swap_batch_and_time(cell.input_terms(x))  # [T, B, G·H]
    inputs = [a, *masks, *map(_swap_batch_and_time, nudges)]
    if initial is None:
        initial = [tf.zeros([tf.shape(x)[0], layer.units], x.dtype) for _ in cell.state_names]
    before = [tf.cast(each, x.dtype) for each in initial]
    execution = choose(
        steps=x.shape[1], batch=None, training=False, unroll=layer.unroll, gpu=False, cudnn=False
    )
    kept = len(cell.state_names) + len(cell.blocks)
    _, values = loop(step, before, inputs, kept, execution.unroll)
    return dict(zip(names, map(_swap_batch_and_time, values), strict=True))


def _swap_batch_and_time(tensor: Tensor) -> Tensor:
    return tf.transpose(tensor, [1, 0, 2])

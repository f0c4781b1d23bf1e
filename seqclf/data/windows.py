"""Cuts recordings into windows, each of which is an example."""

import numpy as np

from seqclf.data.sequences import RawData, Sequences
from seqclf.errors import DataError


def with_windows(raw: RawData, window: int, stride: int, rule: str) -> RawData:
    """Returns the same data with every recording cut into windows.

    `Sequences.recordings` says which recording a window is from: no recording comes into two
    splits. What is left at the end of a recording, and a recording shorter than a window, are left
    out and counted in a note.

    Args:
        raw: the data; its examples are the recordings.
        window: the number of time steps of a window.
        stride: the number of time steps between the beginnings of two windows.
        rule: the label of a window: the most frequent one of its time steps (`majority`; of equally
            frequent ones the one with the lower index) or that of the last time step (`last`).

    Raises:
        DataError: no recording is as long as a window, or the examples are images.
    """
    if any(part.x.ndim != 3 or part.x.dtype == np.uint8 for part in raw.parts.values()):
        raise DataError(f"{raw.where}: `data.window` cuts sequences [N, T, D], and not images.")
    for name, part in raw.parts.items():
        if (longest := int(_lengths(part).max())) < window:
            split = f" of the {name} split" if len(raw.parts) > 1 else ""
            raise DataError(
                f"{raw.where}: `data.window` must not exceed the longest recording{split}, which "
                f"has {longest} time steps. Received: {window}"
            )
    cut = {name: _cut(part, window, stride, rule) for name, part in raw.parts.items()}
    return raw.changed(parts=cut, notes=(*raw.notes, _note(raw, cut, window, stride)))


def _lengths(part: Sequences) -> np.ndarray:
    return np.full(len(part), part.x.shape[1]) if part.lengths is None else part.lengths


def _note(raw: RawData, cut: dict[str, Sequences], window: int, stride: int) -> str:
    lengths = np.concatenate([_lengths(part) for part in raw.parts.values()])
    count, long = sum(map(len, cut.values())), lengths[lengths >= window]
    short, left = len(lengths) - len(long), int(((long - window) % stride).sum())
    note = (
        f"{count:,} windows of {window} time steps, {stride} apart, from {len(long):,} recordings"
    )
    if short:
        note += f"; {short:,} recordings are shorter than a window and are left out"
    if left:
        note += f"; {left:,} time steps at the ends of recordings are left out"
    return note


def _cut(part: Sequences, window: int, stride: int, rule: str) -> Sequences:
    lengths = _lengths(part).astype(np.int64)
    counts = np.where(lengths < window, 0, (lengths - window) // stride + 1)  # by recording
    recording = np.repeat(np.arange(len(part)), counts)
    first = np.repeat(counts.cumsum() - counts, counts)  # the first window of the same recording
    starts = (np.arange(len(recording)) - first) * stride
    x = np.empty((len(recording), window, part.x.shape[2]), part.x.dtype)
    for row, (i, start) in enumerate(zip(recording.tolist(), starts.tolist(), strict=True)):
        x[row] = part.x[i, start : start + window]
    names = part.ids if part.ids is not None else np.arange(len(part)).astype(str)
    ids = [f"{names[i]}:{start}" for i, start in zip(recording, starts, strict=True)]
    return Sequences(
        x,
        labels=_labels(part, recording, starts, window, rule),
        ids=np.array(ids, object),
        groups=None if part.groups is None else part.groups[recording],
        splits=None if part.splits is None else part.splits[recording],
        weights=None if part.weights is None else part.weights[recording],
        recordings=recording,
        owned=True,
    )


def _labels(
    part: Sequences, recording: np.ndarray, starts: np.ndarray, window: int, rule: str
) -> np.ndarray | None:
    """Returns the label of each window."""
    if part.step_labels is None:
        return None if part.labels is None else part.labels[recording]
    names: np.ndarray = np.array(part.step_label_names, object)
    if rule == "last":
        labels: np.ndarray = names[part.step_labels[recording, starts + window - 1]]
        return labels
    chosen = [
        np.bincount(part.step_labels[i, start : start + window], minlength=len(names)).argmax()
        for i, start in zip(recording, starts, strict=True)
    ]
    labels = names[np.array(chosen, np.int64)]
    return labels

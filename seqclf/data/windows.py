"""Cuts recordings into windows, each of which is an example."""

import numpy as np

from seqclf.data.sequences import RawData, Sequences
from seqclf.errors import DataError


def with_windows(raw: RawData, window: int, stride: int, rule: str) -> RawData:
    """Returns the same data with every recording cut into windows.

    A window's group is the group of its recording, or else the recording, so that
    `data.split_by=group` keeps all windows of a recording in one split. What is left at the end of
    a recording, and a recording shorter than a window, are left out and counted in a note.

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
    cut = {name: _cut(part, window, stride, rule) for name, part in raw.parts.items()}
    for name, part in cut.items():
        if not len(part):
            longest = max(map(int, _lengths(raw.parts[name])))
            raise DataError(
                f"{raw.where}: `data.window` must not exceed the longest recording, which has "
                f"{longest} time steps. Received: {window}"
            )
    count = sum(map(len, cut.values()))
    recordings = sum(map(len, raw.parts.values()))
    short = sum(int((_lengths(part) < window).sum()) for part in raw.parts.values())
    note = f"{count:,} windows of {window} time steps, {stride} apart, from {recordings} recordings"
    if short:
        note += f"; {short} recordings are shorter than a window and are left out"
    return raw.changed(parts=cut, notes=(*raw.notes, note))


def _lengths(part: Sequences) -> np.ndarray:
    return np.full(len(part), part.x.shape[1]) if part.lengths is None else part.lengths


def _cut(part: Sequences, window: int, stride: int, rule: str) -> Sequences:
    places = [
        (i, start)
        for i, length in enumerate(_lengths(part).tolist())
        for start in range(0, length - window + 1, stride)
    ]
    recording = np.array([i for i, _ in places], np.int64)
    starts = np.array([start for _, start in places], np.int64)
    x = np.empty((len(places), window, part.x.shape[2]), part.x.dtype)
    for row, (i, start) in enumerate(places):
        x[row] = part.x[i, start : start + window]
    names = part.ids if part.ids is not None else np.arange(len(part)).astype(str)
    groups = part.groups if part.groups is not None else names
    return Sequences(
        x,
        labels=_labels(part, recording, starts, window, rule),
        ids=np.array([f"{names[i]}:{start}" for i, start in places], object),
        groups=groups[recording],
        splits=None if part.splits is None else part.splits[recording],
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

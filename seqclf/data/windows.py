"""Cuts recordings into windows, each of which is an example."""

from dataclasses import dataclass

import numpy as np

from seqclf.data.sequences import RawData, Sequences
from seqclf.data.step_labels import have_label
from seqclf.errors import ConfigError, DataError


@dataclass
class LeftOut:
    """Counts of what gives no window.

    Attributes:
        short: the recordings that are shorter than a window.
        ends: the time steps behind the last window of their recording.
        unlabelled: the windows none of whose time steps has a label, where each step may have one.
    """

    short: int = 0
    ends: int = 0
    unlabelled: int = 0

    def in_words(self) -> list[str]:
        """Returns a sentence for each count that is not 0."""
        counts = {
            "recordings are shorter than a window and are left out": self.short,
            "time steps at the ends of recordings are left out": self.ends,
            "windows without any label are left out": self.unlabelled,
        }
        return [f"{count:,} {what}" for what, count in counts.items() if count > 0]


def with_windows(raw: RawData, window: int, stride: int, rule: str) -> RawData:
    """Returns the same data with every recording cut into windows, and a note about them.

    The arguments and the errors are those of `cut_into_windows`.
    """
    raw, left_out = cut_into_windows(raw, window, stride, rule)
    numbers = [part.recordings for part in raw.parts.values() if part.recordings is not None]
    recordings = sum(len(np.unique(each)) for each in numbers)
    count = sum(map(len, raw.parts.values()))
    note = f"{count:,} windows of {window} time steps, {stride} apart, from {recordings:,}"
    note = "; ".join([f"{note} recordings", *left_out.in_words()])
    return raw.changed(notes=(*raw.notes, note))


def cut_into_windows(
    raw: RawData, window: int, stride: int, rule: str, *, labelled: bool = True
) -> tuple[RawData, LeftOut]:
    """Returns the same data with every recording cut into windows, and what is left out.

    `Sequences.recordings` says which recording a window is from: no recording comes into two
    splits. What is left at the end of a recording, and a recording shorter than a window, are left
    out. Labels of time steps, `[N, T]`, are cut along; a window that has none is left out too.

    Args:
        raw: the data; its examples are the recordings.
        window: the number of time steps of a window.
        stride: the number of time steps between the beginnings of two windows.
        rule: the label of a window: the most frequent one of its time steps (`majority`; of equally
            frequent ones the one with the lower index) or that of the last time step (`last`).
        labelled: whether windows without the label of any time step are left out.

    Raises:
        DataError: no recording is as long as a window, no window has a label, or the examples are
            images.
        ConfigError: the rule chooses one label, and the time steps keep theirs.
    """
    if any(part.x.ndim != 3 or part.x.dtype == np.uint8 for part in raw.parts.values()):
        raise DataError(f"{raw.where}: `data.window` cuts sequences [N, T, D], and not images.")
    if rule != "majority" and any(_per_step(part) for part in raw.parts.values()):
        raise ConfigError(
            f"{raw.where}: `data.window_label` chooses one label for a window, and here each time "
            f"step keeps its own: leave it out. Received: {rule!r}"
        )
    left_out, cut = LeftOut(), {}
    for name, part in raw.parts.items():
        lengths = _lengths(part)
        if (longest := int(lengths.max())) < window:
            split = f" of the {name} split" if len(raw.parts) > 1 else ""
            raise DataError(
                f"{raw.where}: `data.window` must not exceed the longest recording{split}, which "
                f"has {longest} time steps. Received: {window}"
            )
        long = lengths[lengths >= window]
        left_out.short += len(lengths) - len(long)
        left_out.ends += int(((long - window) % stride).sum())
        cut[name] = _cut(part, window, stride, rule)
        if labelled:
            count = len(cut[name])
            cut[name] = _with_label(cut[name], raw.where)
            left_out.unlabelled += count - len(cut[name])
    return raw.changed(parts=cut), left_out


def _per_step(part: Sequences) -> bool:
    return part.labels is not None and part.labels.ndim == 2


def _with_label(part: Sequences, where: str) -> Sequences:
    """Returns the windows that have a label; all have one, unless labels are of time steps."""
    if not _per_step(part):
        return part
    assert part.labels is not None
    has_label = have_label(part.labels).any(axis=1)
    if not has_label.any():
        raise DataError(f"{where}: none of its {len(part):,} windows has a time step with a label.")
    return part if has_label.all() else part.take(np.flatnonzero(has_label))


def _lengths(part: Sequences) -> np.ndarray:
    return np.full(len(part), part.x.shape[1]) if part.lengths is None else part.lengths


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
        step_label_names=part.step_label_names,
        owned=True,
    )


def _labels(
    part: Sequences, recording: np.ndarray, starts: np.ndarray, window: int, rule: str
) -> np.ndarray | None:
    """Returns the label of each window, or those of its time steps."""
    if _per_step(part):
        assert part.labels is not None
        steps = starts[:, None] + np.arange(window)
        cut: np.ndarray = part.labels[recording[:, None], steps]
        return cut
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

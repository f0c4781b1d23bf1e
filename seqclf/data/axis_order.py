"""Finds sequences that were probably given as `[N, D, T]` in the place of `[N, T, D]`."""

import numpy as np

EXAMPLES = 256  # that are looked at
WIDER = 2  # so many times more features than time steps
LEAST = 16  # features
ALIKE = 0.4  # correlation of neighbours along the last axis
ALONG_TIME = 0.5  # at most this part of it is the correlation of neighbours along the time axis


def axis_order_note(x: np.ndarray, name: str = "x") -> tuple[str, ...]:
    """Returns a note if the last axis of sequences behaves as time does, and the axis of time not.

    Neighbouring values in time are alike. Features are so too in images and spectra, but there
    both axes are. The values are standardised for each index of the last axis, so that features of
    different scales do not pass for a course in time; and the mean over that axis is subtracted, so
    that features which all follow one cause do not. (Tested on aeon's bundled data sets, on digits,
    and on tables of measurements.)

    Args:
        x: `[N, T, D]` real numbers without lengths; a missing value is NaN. uint8 is taken for
            images, and nothing is said about them.
        name: the name of the array, for the note.
    """
    if x.ndim != 3 or x.dtype == np.uint8 or x.dtype.kind not in "iuf" or 0 in x.shape:
        return ()
    steps, features = x.shape[1:]
    if features < LEAST or features < WIDER * steps:
        return ()
    chosen = np.linspace(0, len(x) - 1, min(len(x), EXAMPLES)).astype(int)
    part = x[chosen].astype(np.float64)
    part[~np.isfinite(part)] = 0.0
    deviation = part.std((0, 1))
    part = (part - part.mean((0, 1))) / np.where(deviation > 0, deviation, 1.0)
    course = part - part.mean(2, keepdims=True)
    along_last = _correlation(course[:, :, 1:], course[:, :, :-1])
    along_time = _correlation(course[:, 1:], course[:, :-1]) if steps > 1 else 0.0
    if along_last < ALIKE or along_time > ALONG_TIME * along_last:
        return ()
    return (
        f"`{name}` has {steps} time steps of {features} features, and looks as if it had "
        f"{features} time steps of {steps}: neighbouring values along its last axis are alike "
        f"(correlation {along_last:.2f}), those along its axis of time are not ({along_time:.2f}). "
        f"If so, give {name}.transpose(0, 2, 1)",
    )


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Returns the mean product of standardised values."""
    scale = np.sqrt((a**2).mean() * (b**2).mean())
    return float((a * b).mean() / scale) if np.isfinite(scale) and scale > 0 else 0.0

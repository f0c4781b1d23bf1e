"""`numbers`: the numbers of a line of text."""

import numpy as np

from seqclf.errors import DataError


def numbers(fields: list[str], where: str) -> np.ndarray:
    """Returns the numbers that the fields of a line are, float32; `?` and `NaN` are missing values.

    Args:
        fields: the text of each number.
        where: the beginning of messages.

    Raises:
        DataError: a field is no number, or too large for float32.
    """
    fields = ["nan" if field.strip() == "?" else field for field in fields]
    try:
        with np.errstate(over="ignore"):
            values: np.ndarray = np.array(fields, np.float64).astype(np.float32)
    except ValueError:
        for i, field in enumerate(fields):
            if not _is_number(field):
                raise DataError(
                    f"{where}: value {i + 1} must be a number, or ? or NaN where it is missing. "
                    f"Received: {field.strip()[:40]!r}"
                ) from None
        raise
    if np.isinf(values).any():
        i = int(np.isinf(values).argmax())
        raise DataError(
            f"{where}: value {i + 1} must be finite (in float32). Received: {fields[i].strip()!r}"
        )
    return values


def _is_number(field: str) -> bool:
    try:
        np.array([field], np.float64)
    except ValueError:
        return False
    return True

"""Shapes of examples in which a dimension may be of any size: comparing and wording them."""

Shape = tuple[int | None, ...]  # None: a dimension of any size, the time steps


def fits_shape(given: tuple[int, ...], shape: Shape) -> bool:
    """Returns whether an example of the shape `given` is of the shape `shape`."""
    return len(given) == len(shape) and all(
        size in (None, actual) for size, actual in zip(shape, given, strict=True)
    )


def batch_in_words(shape: Shape) -> str:
    """Returns the shape of an array of examples as messages show it.

    Args:
        shape: the shape of one example.

    Example:
        >>> batch_in_words((None, 3))
        '[N, T, 3]'
    """
    return f"[{', '.join(['N', *('T' if size is None else str(size) for size in shape)])}]"

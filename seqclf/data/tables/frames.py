"""`is_frame`: tells a data frame from the name of a source, without importing pyarrow."""

from typing import Any


def is_frame(source: Any) -> bool:
    """Returns whether something is a table in memory, such as a DataFrame of pandas or polars."""
    return hasattr(source, "__arrow_c_stream__")

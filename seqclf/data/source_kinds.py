"""Checks of `data.source`: whether it says its kind, and whether `label_per_step` is for it."""

from pathlib import Path

from seqclf.errors import ConfigError

KIND_OF_SUFFIX = {
    ".csv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".npz": "npz",
    ".ts": "ts",
    ".tsv": "tsv",
    ".tfrecord": "tfrecord",
    ".txt": "text",
}
TWO_FILES = ("ts", "tsv")


def check_kind(source: str) -> None:
    """Refuses a path without a kind, such as `sensors.csv` for `csv:sensors.csv`.

    A name of tensorflow-datasets may be that of a folder here, and may have a slash. So a folder is
    only taken for one where its path begins with `/`, `.` or `~`.

    Args:
        source: the value of `data.source`.

    Raises:
        ConfigError: it is a path.

    Example:
        >>> check_kind("csv:sensors.csv")
        >>> check_kind("sensors.csv")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        seqclf.errors.ConfigError: `data.source` ... Received: 'sensors.csv'. Try 'csv:sensors.csv'.
    """
    if ":" in source:
        return
    kind = KIND_OF_SUFFIX.get(Path(source).suffix.lower(), "")
    if not kind and source.startswith(("/", ".", "~")):
        kind = "folder"
    if kind:
        right = f"{kind}:TRAIN,TEST" if kind in TWO_FILES else f"{kind}:{source}"
        raise ConfigError(
            "`data.source` must say what kind of data is at a path, in a word and a colon before "
            f"it. Received: {source!r}. Try {right!r}."
        )


def check_label_per_step(source: str, label_per_step: bool) -> None:
    """Refuses `data.label_per_step` for data that are no table.

    Args:
        source: the value of `data.source`.
        label_per_step: the value of `data.label_per_step`.

    Raises:
        ConfigError: the key is set, and the source is another one.
    """
    if label_per_step and source.partition(":")[0] not in ("csv", "parquet"):
        raise ConfigError(
            "`data.label_per_step` is for tables (csv:FILE, parquet:FILE, data frames): arrays and "
            "shards have a label for each time step where their labels are of the shape [N, T]. "
            f"Received: True with {source!r}"
        )

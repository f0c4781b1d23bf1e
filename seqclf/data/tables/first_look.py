"""`check_table`: finds mistakes in the source before anything slow begins."""

from seqclf.config import DataConfig
from seqclf.data.source_kinds import check_kind

KINDS = ("csv", "parquet")


def check_table(config: DataConfig) -> None:
    """Looks at the header and the first rows of a table; it needs no TensorFlow.

    Args:
        config: the source and the columns. Of sources that are no tables only the name is
            looked at.

    Raises:
        DataError: the file cannot be read, or a column is missing or cannot be found.
        ConfigError: keys contradict each other, or the source is a path without its kind.
    """
    check_kind(config.source)
    kind, _, path = config.source.partition(":")
    if kind in KINDS and path:
        from seqclf.data.tables.stream import table_layout  # pyarrow is slow to import

        table_layout(path, config)

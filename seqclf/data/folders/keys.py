"""`check_keys`: refuses keys of the group `data` that say nothing about a folder."""

from seqclf.config import DataConfig
from seqclf.errors import ConfigError

# Columns that tell the sequences of one table apart, and their weights.
OF_TABLES = ("id", "label", "group", "split", "weight")


def check_keys(config: DataConfig, others: tuple[str, ...] = ()) -> None:
    """Checks that no key is given that a folder cannot use.

    Args:
        config: the keys.
        others: names of further keys that cannot be used, because the folder becomes shards.

    Raises:
        ConfigError: a key has another value than its default.
    """
    defaults = DataConfig()
    for name in OF_TABLES:
        if value := getattr(config, name):
            raise ConfigError(
                f"`data.{name}` names a column of one table. In a folder each file is a sequence; "
                "its class is the name of its sub-folder, or stands in the file that `data.labels` "
                f"names, where split and group can be columns. Received: {value!r}"
            )
    for name in others:
        if (value := getattr(config, name)) != getattr(defaults, name):
            raise ConfigError(
                f"`data.{name}` cannot be used when a folder is written as shards; train on the "
                f"folder itself with it (data.source=folder:DIR). Received: {value!r}"
            )

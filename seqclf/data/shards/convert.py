"""`open_source`: from the name of a source to the examples that are written as shards."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seqclf.config import DataConfig
from seqclf.data.shards.examples import Source, dataset_source
from seqclf.data.shards.folder import ImageOptions, folder_source
from seqclf.data.shards.table_source import table_source
from seqclf.data.source_kinds import check_label_per_step
from seqclf.data.sources import load_dataset
from seqclf.data.values import no_missing_note
from seqclf.errors import ConfigError

TABLES = ("csv", "parquet")


def open_source(
    source: str,
    *,
    validation: float = 0.1,
    test: float = 0.2,
    seed: int = 0,
    images: ImageOptions | None = None,
    keep_missing: bool = False,
    options: Mapping[str, Any] | None = None,
    folder: Path | None = None,
) -> Source:
    """Opens the source that is to be converted.

    Args:
        source: `folder:DIR` (see `folder_source`), which is read file by file during the
            conversion; `csv:FILE` or `parquet:FILE` (see `table_source`), which is read sequence by
            sequence; or another source, which `load_dataset` loads into memory.
        validation: the fraction of examples to validate on, if the source has no such split.
        test: the fraction of examples to test on, if the source has no such split.
        seed: the seed of the splits and of the order of the training examples.
        images: how the image files of a folder are read.
        keep_missing: whether values may be missing (NaN).
        options: other keys of the group `data`, such as the columns of a table.
        folder: where a temporary file with the values of a table lies; None: the folder for
            temporary files.

    Raises:
        ConfigError: the source consists of shards already, or names nothing; or `validation` is 0.
        DataError: the source cannot be used.
    """
    kind, _, path = source.partition(":")
    if kind == "tfrecord" or (kind == "folder" and not path):
        raise ConfigError(
            "--source must be folder:DIR, csv:FILE, parquet:FILE, ts:FILES, tsv:FILES, npz:FILE, "
            f"idx:DIR, digits or a name of tensorflow-datasets. Received: {source!r}"
        )
    for name, fraction in (("validation", validation), ("test", test)):
        if not fraction:
            raise ConfigError(
                f"--{name} must be above 0: shards always have a {name} split. "
                f"Received: {fraction!r}"
            )
    keys: dict[str, Any] = dict(options or {})
    keys |= {"validation": validation, "test": test, "split_seed": seed}
    check_label_per_step(source, bool(keys.get("label_per_step")))
    if kind == "folder":
        return folder_source(path, DataConfig(source=source, **keys), images)
    if kind in TABLES and path:
        return table_source(path, DataConfig(source=source, **keys), folder)
    keys["image_size"] = images.size if images else ()
    keys["missing"] = "mean" if keep_missing else "error"  # the values themselves stay as they are
    dataset = load_dataset(source, **keys)
    dropped = no_missing_note("mean")  # of an option that is ours
    notes = tuple(note for note in dataset.notes if note != dropped)
    if path:
        notes = ("it is read into memory as a whole", *notes)
    return dataset_source(dataclasses.replace(dataset, notes=notes), seed)

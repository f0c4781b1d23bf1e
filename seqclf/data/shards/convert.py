"""`open_source`: from the name of a source to the examples that are written as shards."""

import dataclasses

from seqclf.data.shards.examples import Source, dataset_source
from seqclf.data.shards.folder import ImageOptions, folder_source
from seqclf.data.sources import load_dataset
from seqclf.data.values import no_missing_note
from seqclf.errors import ConfigError


def open_source(
    source: str,
    *,
    validation: float = 0.1,
    test: float = 0.2,
    seed: int = 0,
    images: ImageOptions | None = None,
    keep_missing: bool = False,
) -> Source:
    """Opens the source that is to be converted.

    Args:
        source: `folder:DIR` (see `folder_source`), which is read file by file during the
            conversion, or another source, which `load_dataset` loads into memory.
        validation: the fraction of examples to validate on, if the source has no such split.
        test: the fraction of examples to test on, if the source has no such split.
        seed: the seed of the splits and of the order of the training examples.
        images: how the image files of a folder are read.
        keep_missing: whether values may be missing (NaN).

    Raises:
        ConfigError: the source consists of shards already, or names nothing.
        DataError: the source cannot be used.
    """
    kind, _, path = source.partition(":")
    if kind == "tfrecord" or (kind == "folder" and not path):
        raise ConfigError(
            "--source must be folder:DIR, npz:FILE, idx:DIR, digits or a name of "
            f"tensorflow-datasets. Received: {source!r}"
        )
    if kind == "folder":
        return folder_source(path, validation=validation, test=test, seed=seed, images=images)
    size = images.size if images else ()
    dataset = load_dataset(
        source,
        validation=validation,
        test=test,
        split_seed=seed,
        image_size=size,
        missing="mean" if keep_missing else "error",  # the values themselves stay as they are
    )
    dropped = no_missing_note("mean")  # of an option that is ours
    notes = tuple(note for note in dataset.notes if note != dropped)
    return dataset_source(dataclasses.replace(dataset, notes=notes), seed)

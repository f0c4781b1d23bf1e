"""`convert`: from the name of a source to shards, as `python -m seqclf.shard` does it."""

from seqclf.data.shards.examples import Source, dataset_source
from seqclf.data.shards.folder import ImageOptions, folder_source
from seqclf.data.sources import load_dataset
from seqclf.errors import ConfigError


def open_source(
    source: str,
    *,
    validation: float = 0.1,
    test: float = 0.2,
    seed: int = 0,
    pictures: ImageOptions | None = None,
) -> Source:
    """Opens what is to be converted.

    Args:
        source: `folder:DIR` (see `folder_source`), which is read as it is written, or a source that
            `load_dataset` loads into memory.
        validation: share to validate on, where the source has no such split.
        test: the same, to test on.
        seed: of the splits, and of the order of the training examples.
        pictures: how the pictures of a folder are read.

    Raises:
        ConfigError: shards already, or nothing named.
        DataError: the source cannot be used.
    """
    kind, _, path = source.partition(":")
    if kind == "tfrecord" or (kind == "folder" and not path):
        raise ConfigError(
            "--source must be folder:DIR, npz:FILE, idx:DIR, digits or a name of "
            f"tensorflow-datasets. Received: {source!r}"
        )
    if kind == "folder":
        return folder_source(path, validation=validation, test=test, seed=seed, pictures=pictures)
    size = pictures.size if pictures else ()
    dataset = load_dataset(
        source, validation=validation, test=test, split_seed=seed, image_size=size
    )
    return dataset_source(dataset, seed)

"""`load_dataset`: loads a source by its name, as checked splits with their spec."""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from seqclf.config import DataConfig
from seqclf.config.convert import unknown_key
from seqclf.data import tfds_source
from seqclf.data.archives.ts import ts_data
from seqclf.data.archives.tsv import tsv_data
from seqclf.data.arrays import WHERE as IN_MEMORY
from seqclf.data.assembly import assemble
from seqclf.data.dataset import Dataset
from seqclf.data.folders.source import folder_data
from seqclf.data.idx import load_idx
from seqclf.data.npz import npz_data
from seqclf.data.options import DataOptions
from seqclf.data.sequences import RawData, Sequences
from seqclf.data.shards.source import load_shards
from seqclf.data.source_kinds import check_kind, check_label_per_step
from seqclf.data.tables.arrow_tables import FRAME
from seqclf.data.tables.frames import is_frame
from seqclf.data.tables.reading import csv_data, frame_data, parquet_data
from seqclf.data.text.source import load_text
from seqclf.errors import ConfigError, DataError

if TYPE_CHECKING:
    from typing_extensions import Unpack


def load_dataset(source: Any = "digits", **options: "Unpack[DataOptions]") -> Dataset:
    """Loads a dataset and splits it.

    Args:
        source: a data frame of pandas or polars, or an Arrow table, read as `csv:FILE` is; or the
            name of the data, as `data.source` takes it:

            - `csv:FILE`, `parquet:FILE`: a table, with one row for each time step or one row for
              each sequence; the options `id`, `time`, `features`, `label`, … name its columns;
            - `folder:DIR`: one CSV or `.npy` file for each sequence, or one image file for each
              image, in a folder for each class, or with a class in the file `labels`;
            - `ts:TRAIN,TEST`, `tsv:TRAIN,TEST`: the UEA and UCR archives' files;
            - `npz:FILE`: NumPy arrays, see `load_npz`;
            - `text:FILE`: a text for a language model, see `load_text`; `text:timemachine` is the
              book that comes with seqclf;
            - `digits`: 1,797 real digits of 8×8 that come with scikit-learn;
            - a name of tensorflow-datasets, such as `mnist` or `fashion_mnist`;
            - `idx:DIR`: the four files of MNIST's format, see `load_idx`;
            - `tfrecord:GLOB`: shards that `python -m seqclf.shard` wrote; they hold their splits,
              and are read on demand.
        **options: the other keys of the group `data` of the config (`docs/config.md`), such as
            `label="state"`, `missing="interpolate"` or `split_by="group"`.

    Returns:
        A `Dataset` with the splits `train`, `validation` and `test`.

    Raises:
        DataError: the data is missing, damaged or cannot be trained on.
        ConfigError: an option is unknown, or cannot be used for this data.

    Example:
        >>> dataset = load_dataset("digits")
        >>> dataset.spec.time_steps, dataset.spec.features, dataset.spec.num_classes
        (8, 8, 10)
    """
    known = dict(DataConfig.settings())
    if unknown := [name for name in options if name not in known or name == "source"]:
        raise ConfigError(unknown_key(f"data.{unknown[0]}"))
    if is_frame(source):
        config = DataConfig(source=FRAME, **options)
        loaded = assemble(frame_data(source, config), config)
        return dataclasses.replace(loaded, options=config)
    if not isinstance(source, str):
        raise ConfigError(
            "`source` must be the name of the data, such as csv:FILE, or a data frame of pandas, "
            f"polars or pyarrow. Received: {type(source).__name__}"
        )
    config = DataConfig(source=source, **options)
    return dataclasses.replace(_load(config), options=config)


def _load(config: DataConfig) -> Dataset:
    if config.source in (IN_MEMORY, FRAME):
        raise DataError(
            f"The data of this run was in memory ({config.source}), not in a file. In Python, give "
            "the same dataset again, such as seqclf.evaluate(run, dataset=dataset)."
        )
    check_kind(config.source)
    kind, _, path = config.source.partition(":")
    named = kind in FILES or kind in ("tfrecord", "text")
    if named and not path:
        raise ConfigError(f"`data.source` names no file or folder. Received: {config.source!r}")
    if config.weight and kind not in ("csv", "parquet", "folder"):
        raise ConfigError(
            "`data.weight` names a column of a table. An .npz file has weights in its array "
            f"`weights`, and other sources have none. Received: {config.weight!r} with "
            f"{config.source!r}"
        )
    check_label_per_step(config.source, config.label_per_step)
    if config.image_size and kind != "folder" and (named or config.source == "digits"):
        raise ConfigError(
            "`data.image_size` resizes images of folders and of tensorflow-datasets only. "
            f"Received: {config.image_size} with {config.source!r}"
        )
    if kind == "text":
        return load_text(path, config)
    if kind == "tfrecord":
        return load_shards(
            path,
            reading=config.reading,
            permutation_seed=config.permutation_seed,
            normalize=config.normalize,
            shuffle_buffer=config.shuffle_buffer,
            missing=config.missing,
        )
    if named:
        return assemble(FILES[kind](path, config), config)
    return assemble(_digits() if config.source == "digits" else _from_tfds(config), config)


def _from_idx(folder: str, config: DataConfig) -> RawData:
    del config
    parts = {name: Sequences(x, y, owned=True) for name, (x, y) in load_idx(folder).items()}
    return RawData(parts, f"idx files in {folder}", folder)


def _from_tfds(config: DataConfig) -> RawData:
    arrays, names, origin = tfds_source.load_tfds(
        config.source,
        tfds_dir=config.tfds_dir,
        mnist_dir=config.mnist_dir,
        image_size=config.image_size,
    )
    parts = {name: Sequences(x, y, owned=True) for name, (x, y) in arrays.items()}
    return RawData(parts, origin, config.source, names)


def _digits() -> RawData:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    part = Sequences(bunch.images.astype(np.uint8), bunch.target, owned=True)
    names = tuple(str(name) for name in bunch.target_names)
    origin = "scikit-learn's bundled handwritten digits (8×8, UCI)"
    return RawData({"train": part}, origin, "digits", names, full_scale=16.0)


# The sources that are files: the word before the colon -> what reads them.
FILES: dict[str, Callable[[str, DataConfig], RawData]] = {
    "csv": csv_data,
    "folder": folder_data,
    "idx": _from_idx,
    "npz": npz_data,
    "parquet": parquet_data,
    "ts": ts_data,
    "tsv": tsv_data,
}

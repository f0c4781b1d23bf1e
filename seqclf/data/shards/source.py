"""The source `tfrecord:GLOB`: shards that `python -m seqclf.shard` wrote, read when needed."""

import dataclasses
import fnmatch
import os
from pathlib import PurePosixPath

import numpy as np
import tensorflow as tf

from seqclf.data.dataset import Dataset, DatasetSpec
from seqclf.data.normalization import observed_means, with_normalization
from seqclf.data.permutation import with_order
from seqclf.data.shards.schema import NAME, REMEDY, Schema, read_schema
from seqclf.data.shards.split import StreamedSplit
from seqclf.data.split_names import SPLITS
from seqclf.data.values import REMEDIES, no_missing_note
from seqclf.errors import ConfigError, DataError


def load_shards(
    pattern: str,
    *,
    reading: str,
    normalize: str,
    shuffle_buffer: int,
    missing: str = "error",
    permutation_seed: int = 0,
) -> Dataset:
    """Opens a set of shards; no record is read.

    Args:
        pattern: a pattern of the files, such as `DIR/*.tfrecord`, or their folder; local, or
            anywhere that `tf.io.gfile` can read (`gs://…`; `s3://…` with a plug-in of TensorFlow).
        reading: see `seqclf.data.sources.load_dataset`.
        normalize: see `seqclf.data.sources.load_dataset`.
        shuffle_buffer: the number of examples that are held in memory to shuffle them.
        missing: what is done with missing values, as `data.missing` names it.
        permutation_seed: the seed of the order in which the reading `permuted` reads the pixels.

    Raises:
        DataError: no file matches, the schema is missing, damaged or another program's, or the
            files are not those that it lists; or values are missing and nothing is done about it.
        ConfigError: `reading` cannot be used for sequences of varying lengths.
    """
    source = f"tfrecord:{pattern}"
    folder, schema = _open(pattern, source)
    measured_as = "pixels" if reading == "permuted" else reading
    if measured_as not in schema.moments or (schema.per_step and reading != "rows"):
        raise ConfigError(
            f"{source}: sequences of varying lengths or with labels of time steps can only be read "
            f"by `rows`. Received: {reading!r}"
        )
    spec = DatasetSpec(
        source=source,
        reading=reading,
        raw_shape=schema.shape,
        raw_dtype=schema.dtype,
        class_names=schema.class_names,
        variable_length=schema.variable_length,
        full_scale=schema.full_scale,
        background=schema.background,
        missing=missing if schema.dtype != "uint8" else "error",
        feature_names=schema.feature_names,
        table=schema.table,
        per_step=schema.per_step,
    )
    spec = with_order(spec, permutation_seed)
    measured = schema.moments[measured_as]
    if spec.missing == "error":
        _check_missing(schema, source)
    else:
        spec = dataclasses.replace(spec, fill=observed_means(measured, spec, source))
    train, validation, test = (
        StreamedSplit(folder, schema, name, shuffle_buffer) for name in SPLITS
    )
    count = sum(len(schema.shards[name]) for name in SPLITS)
    return Dataset(
        spec=with_normalization(spec, normalize, lambda: measured),
        train=train,
        validation=validation,
        test=test,
        origin=f"{count} shards in {folder}, made from: {schema.origin}",
        notes=(no_missing_note(missing),) if missing != spec.missing else (),
    )


def _check_missing(schema: Schema, source: str) -> None:
    """Raises DataError if values are missing in the shards."""
    if not schema.missing:
        return
    lacking = np.sum(list(schema.missing.values()), axis=0)
    by_feature = ", ".join(f"feature {d} {n:,}" for d, n in enumerate(lacking.tolist()) if n)
    raise DataError(
        f"{source}: {lacking.sum():,} values are missing (NaN). By feature: {by_feature}. "
        f"{REMEDIES}"
    )


def _open(pattern: str, source: str) -> tuple[str, Schema]:
    """Returns the folder of the shards and its schema, after checking the files against it."""
    try:
        folder, found = _find(os.path.expanduser(pattern))  # a Path would spoil gs://
        schema = read_schema(folder)
        _check_files(folder, found, schema)
    except tf.errors.OpError as error:  # a cloud that cannot be reached, or an unknown scheme
        raise DataError(f"{source}: cannot be opened: {error.message}") from error
    return folder, schema


def _find(pattern: str) -> tuple[str, set[str]]:
    """Returns the folder that a pattern is about, and the names of the files that match."""
    if tf.io.gfile.isdir(pattern):
        pattern = f"{pattern.rstrip('/')}/*.tfrecord"
    if not (found := _matching(pattern)):
        raise DataError(
            f"tfrecord:{pattern}: no file matches. Write shards with "
            "python -m seqclf.shard --source=… --out=DIR, and name them as tfrecord:DIR/*.tfrecord"
        )
    folders = sorted({path.rpartition("/")[0] for path in found})
    if len(folders) > 1:
        raise DataError(
            f"tfrecord:{pattern}: the shards of a dataset lie in one folder, with their schema. "
            f"Received: files in {' and in '.join(folders[:2])}"
        )
    return folders[0] or ".", {PurePosixPath(path).name for path in found} - {NAME}


def _matching(pattern: str) -> list[str]:
    """Returns the paths of the files that match a pattern.

    A local folder that exists is taken by its name, which may hold characters that a pattern gives
    a meaning: `[`, `]`, `*`, `?`, `{`, `}` and the backslash.
    """
    folder, slash, name = pattern.rpartition("/")
    if "://" not in pattern and tf.io.gfile.isdir(folder or slash or "."):
        names = tf.io.gfile.listdir(folder or slash or ".")
        return [f"{folder}{slash}{file}" for file in names if fnmatch.fnmatchcase(file, name)]
    return list(tf.io.gfile.glob(pattern))


def _check_files(folder: str, found: set[str], schema: Schema) -> None:
    """Raises DataError unless the files are those of the schema, in number, name and size."""
    listed = {shard.file: shard for of_split in schema.shards.values() for shard in of_split}
    if missing := sorted(listed.keys() - found):
        raise DataError(
            f"{folder}: {len(missing)} of the {len(listed)} shards that schema.json lists are not "
            f"there, or not matched, such as {missing[0]}. {REMEDY}"
        )
    if foreign := sorted(found - listed.keys()):
        raise DataError(
            f"{folder}/{foreign[0]}: matches, but schema.json does not list it. Move it away, or "
            "take a narrower pattern."
        )
    for name, shard in listed.items():
        size = tf.io.gfile.stat(f"{folder}/{name}").length
        if size != shard.bytes:
            raise DataError(
                f"{folder}/{name}: must have the {shard.bytes:,} bytes that were written. "
                f"Received: {size:,}. {REMEDY}"
            )

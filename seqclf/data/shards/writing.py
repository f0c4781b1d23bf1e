"""`write_shards`: writes examples as a folder of shards with their schema."""

import contextlib
import itertools
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import tensorflow as tf

from seqclf.data.checks import check_class_names
from seqclf.data.shards.examples import Part, Source
from seqclf.data.shards.measure import Measure
from seqclf.data.shards.records import serialize
from seqclf.data.shards.schema import NAME, Schema, Shard
from seqclf.data.split_names import SPLITS
from seqclf.errors import ConfigError, DataError
from seqclf.storage.folders import new_folder

LANES = 8  # the default maximum: as many workers can share the shards

ProgressCallback = Callable[[str, int, int], None]  # split, examples written, examples in all


def write_shards(
    source: Source,
    out: str,
    *,
    shards: int = 32,
    lanes: int = 0,
    keep_missing: bool = False,
    report: ProgressCallback = lambda split, done, total: None,
) -> Schema:
    """Writes a source to a new folder, one example after the other.

    The files go to a temporary folder beside `out`, which is renamed at the end: a folder with the
    final name is complete.

    Args:
        source: the examples.
        out: the new folder, local or in a cloud (`gs://…`).
        shards: the number of files of the training split; their numbers of examples differ by one
            at most. The files of the other splits are of about the same size.
        lanes: the number of streams that training divides the files into, see `order`; 0: the
            largest number up to 8 that divides `shards`.
        keep_missing: whether values may be missing (NaN) in the shards.
        report: a function that is called after every example.

    Raises:
        ConfigError: `out` exists, there are fewer training examples than shards, or `lanes` does
            not divide `shards`.
        DataError: an example cannot be used, or the folder cannot be written.
    """
    lanes = lanes or max(n for n in range(1, LANES + 1) if shards % n == 0)
    _check(source, out, shards, lanes)
    measure = Measure(source.variable_length, keep_missing)
    with _new_folder(out) as folder:
        written = {
            split: _write_split(source, split, files, folder, measure, report)
            for split, files in _file_counts(source, shards).items()
        }
        schema = Schema(
            origin=source.origin,
            dtype=measure.dtype,
            shape=measure.shape,
            variable_length=measure.variable_length,
            class_names=source.class_names,
            full_scale=source.full_scale,
            background=measure.background(source.full_scale),
            lanes=lanes,
            shards=written,
            moments=measure.moments(),
            input_range=measure.input_range(),
            missing={split: tuple(map(int, n)) for split, n in measure.missing.items()},
            feature_names=source.feature_names,
            table=source.table,
            per_step=source.per_step,
        )
        with tf.io.gfile.GFile(f"{folder}/{NAME}", "w") as file:
            file.write(schema.to_json())
    return schema


def _file_counts(source: Source, shards: int) -> dict[str, int]:
    """Returns the number of files of each split."""
    per_shard = source.parts["train"].count / shards
    return {
        split: shards if split == "train" else max(1, round(source.parts[split].count / per_shard))
        for split in SPLITS
    }


def _check(source: Source, out: str, shards: int, lanes: int) -> None:
    check_class_names(source.class_names, source.origin)
    count = source.parts["train"].count
    if not 1 <= shards <= count:
        raise ConfigError(
            f"--shards must be from 1 to the number of training examples, {count}. "
            f"Received: {shards}"
        )
    if shards % lanes:
        raise ConfigError(
            f"--lanes must divide the number of shards, {shards}. Received: {lanes}; take for "
            f"instance --shards={-(-shards // lanes) * lanes}"
        )
    try:
        taken = tf.io.gfile.exists(out)
    except tf.errors.OpError as error:  # a cloud that cannot be reached, or an unknown scheme
        raise DataError(f"{out}: cannot be reached: {error.message}") from error
    if taken:
        raise ConfigError(f"--out must name a new folder. Received: {out!r}, which exists")


def _write_split(
    source: Source, split: str, files: int, folder: str, measure: Measure, report: ProgressCallback
) -> tuple[Shard, ...]:
    part, shards = source.parts[split], []
    records = _records(part, split, measure, report)
    for i in range(files):
        name = f"{split}-{i:05}-of-{files:05}.tfrecord"
        count = (i + 1) * part.count // files - i * part.count // files
        crc = 0
        with tf.io.TFRecordWriter(f"{folder}/{name}") as writer:
            for record in itertools.islice(records, count):
                writer.write(record)
                crc = zlib.crc32(record, crc)
        size = tf.io.gfile.stat(f"{folder}/{name}").length
        shards.append(Shard(name, count, size, crc))
    return tuple(shards)


def _records(part: Part, split: str, measure: Measure, report: ProgressCallback) -> Iterator[bytes]:
    for done, example in enumerate(part.examples(), 1):
        record = serialize(measure.add(example, split), example.y)
        report(split, done, part.count)
        yield record


@contextlib.contextmanager
def _new_folder(out: str) -> Iterator[str]:
    """Gives a folder to write to; on success it becomes `out`, otherwise nothing is left of it.

    In a cloud, where renaming means copying, it is `out` itself: a folder without a schema, which
    is written last, does not count as a dataset.

    Raises:
        DataError: the folder cannot be written.
    """
    out = out.rstrip("/")
    try:
        if "://" in out:
            with _removed_on_failure(out):
                tf.io.gfile.makedirs(out)
                yield out
        else:
            with new_folder(Path(out)) as folder:
                yield str(folder)
    except (tf.errors.OpError, OSError) as error:
        reason = getattr(error, "message", str(error))
        raise DataError(
            f"{out}: cannot be written ({reason}). Nothing is left of it; free some space, or "
            "name another --out."
        ) from error


@contextlib.contextmanager
def _removed_on_failure(folder: str) -> Iterator[None]:
    try:
        yield
    except BaseException:  # an interruption, too
        with contextlib.suppress(tf.errors.OpError):
            tf.io.gfile.rmtree(folder)
        raise

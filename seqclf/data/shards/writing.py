"""`write_shards`: from examples to a folder of shards with their schema."""

import contextlib
import itertools
import os
import shutil
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import tensorflow as tf

from seqclf.data.checks import check_class_names
from seqclf.data.shards.examples import Part, Source
from seqclf.data.shards.measure import Measure
from seqclf.data.shards.records import serialize
from seqclf.data.shards.schema import NAME, SPLITS, Schema, Shard
from seqclf.errors import ConfigError, DataError

LANES = 8  # as many workers can share the shards at most

Report = Callable[[str, int, int], None]  # split, examples written, examples in all


def write_shards(
    source: Source,
    out: str,
    *,
    shards: int = 32,
    lanes: int = 0,
    report: Report = lambda split, done, total: None,
) -> Schema:
    """Writes a source to a new folder, one example after the other.

    What is written goes to a folder of another name beside it, which gets the name at the end: a
    folder of that name is whole.

    Args:
        source: the examples.
        out: the folder, local or of a cloud (`gs://…`).
        shards: files of the training split, equal in size to within one example; the other splits
            have files of about that size.
        lanes: into how many streams training divides them, see `order`; 0: the most up to 8 that
            divide `shards`.
        report: is called after every example.

    Raises:
        ConfigError: `out` exists; fewer training examples than shards; lanes that do not divide
            the shards.
        DataError: an example cannot be used, or the folder cannot be written.
    """
    lanes = lanes or max(n for n in range(1, LANES + 1) if shards % n == 0)
    _check(source, out, shards, lanes)
    measure = Measure(source.variable_length)
    per_shard = source.parts["train"].count / shards
    written: dict[str, tuple[Shard, ...]] = {}
    with _new_folder(out) as folder:
        for split in SPLITS:
            count = source.parts[split].count
            files = shards if split == "train" else max(1, round(count / per_shard))
            written[split] = _write_split(source, split, files, folder, measure, report)
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
        )
        with tf.io.gfile.GFile(f"{folder}/{NAME}", "w") as file:
            file.write(schema.to_json())
    return schema


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
    except tf.errors.OpError as error:  # a cloud that is not reached, a scheme that is not known
        raise DataError(f"{out}: cannot be reached: {error.message}") from error
    if taken:
        raise ConfigError(f"--out must name a new folder. Received: {out!r}, which exists")


def _write_split(
    source: Source, split: str, files: int, folder: str, measure: Measure, report: Report
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


def _records(part: Part, split: str, measure: Measure, report: Report) -> Iterator[bytes]:
    for done, example in enumerate(part.examples(), 1):
        record = serialize(measure.add(example, training=split == "train"), example.y)
        report(split, done, part.count)
        yield record


def _remove_left_over(parent: Path, prefix: str) -> None:
    """Removes the temporary folders of processes that were killed."""
    for folder in parent.iterdir() if parent.is_dir() else ():
        process = folder.name.removeprefix(prefix)
        if folder.name.startswith(prefix) and process.isdecimal() and not _runs(int(process)):
            shutil.rmtree(folder, ignore_errors=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)  # sends nothing
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # somebody else's
    return True


@contextlib.contextmanager
def _new_folder(out: str) -> Iterator[str]:
    """Gives a temporary folder beside `out`; on success it becomes `out`, or else it is removed.

    In a cloud, where to rename is to copy, it is `out` itself: what has no schema, which is written
    last, is not taken for a data set.
    """
    out = out.rstrip("/")
    parent, slash, name = out.rpartition("/")
    folder = out
    if "://" not in out:
        _remove_left_over(Path(parent or slash or "."), f".tmp-{name}-")
        folder = f"{parent}{slash}.tmp-{name}-{os.getpid()}"
    whole = False
    try:
        tf.io.gfile.makedirs(folder)
        yield folder
        if folder != out:
            tf.io.gfile.rename(folder, out)
        whole = True
    except (tf.errors.OpError, OSError) as error:
        reason = getattr(error, "message", str(error))
        raise DataError(
            f"{out}: cannot be written ({reason}). Nothing is left of it; make room, or name "
            "another --out."
        ) from error
    finally:
        if not whole:  # an interruption, too
            with contextlib.suppress(tf.errors.OpError):
                tf.io.gfile.rmtree(folder)

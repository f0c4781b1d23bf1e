"""Shards whose examples carry their own number as the label and in every value."""

import numpy as np

from seqclf.data.shards.examples import Example, Part, Source
from seqclf.data.shards.writing import write_shards
from seqclf.data.sources import load_dataset


def source(count, shape=(3, 2), dtype="float32", held_out=5):
    """Returns a source of `count` training examples, and `held_out` in each of the other splits."""

    def part(total):
        def examples():
            for i in range(total):
                yield Example(np.full(shape, i, dtype), i, f"example {i}")

        return Part(total, examples)

    parts = {"train": part(count), "validation": part(held_out), "test": part(held_out)}
    names = tuple(f"class {i}" for i in range(count))
    return Source("numbers", names, parts, variable_length=False)


def numbered(folder, count, shards, lanes=0, buffer=10_000, **options):
    """Writes numbered examples as shards, opens them, and returns the dataset."""
    write_shards(source(count, **options), str(folder), shards=shards, lanes=lanes)
    return load_dataset(f"tfrecord:{folder}/*.tfrecord", normalize="none", shuffle_buffer=buffer)

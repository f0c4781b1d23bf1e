"""Tables of sequences for tests, and how they are read."""

import numpy as np
import pandas as pd

from seqclf.config import DataConfig
from seqclf.data.tables.reading import csv_data, frame_data, parquet_data


def sensors(count=40, seed=0, least=3, most=8):
    """Returns a long table in order: run, t, temp, vib, state, machine."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(least, most + 1, count)
    ids = np.repeat(np.arange(count), lengths)
    return pd.DataFrame(
        {
            "run": ids,
            "t": np.concatenate([np.arange(n) for n in lengths]),
            "temp": rng.normal(size=len(ids)).round(4),
            "vib": rng.normal(size=len(ids)).round(4),
            "state": np.array(["ok", "worn"])[ids % 2],
            "machine": np.array(["m1", "m2", "m3"])[ids % 3],
        }
    )


def read(frame, tmp_path, kind="frame", **options):
    """Returns the `RawData` of a frame that is given as such, or through a file."""
    config = DataConfig(source="table", **options)
    if kind == "frame":
        return frame_data(frame, config)
    path = tmp_path / f"table.{kind}"
    if kind == "csv":
        frame.to_csv(path, index=False, sep=options.get("separator", ","))
        return csv_data(str(path), config)
    frame.to_parquet(path, index=False)
    return parquet_data(str(path), config)


def by_id(raw):
    """Returns id -> (valid values, label) of all examples."""
    part = raw.parts["train"]
    lengths = part.lengths if part.lengths is not None else [part.x.shape[1]] * len(part)
    return {
        name: (part.x[i, : lengths[i]], None if part.labels is None else part.labels[i])
        for i, name in enumerate(part.ids)
    }


def same(one, other):
    assert one.keys() == other.keys()
    for name, (x, label) in one.items():
        np.testing.assert_array_equal(x, other[name][0])
        assert label == other[name][1]

"""Shards with a label for each time step hold, bit for bit, what the arrays and tables hold."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import seqclf
from seqclf import build_classifier
from seqclf.config import resolve
from seqclf.data.shards.convert import open_source
from seqclf.data.shards.records import Layout, serialize
from seqclf.data.shards.schema import read_schema
from seqclf.data.shards.writing import write_shards
from seqclf.errors import ConfigError
from seqclf.training.evaluation import Scorer

NAMES = ["rest", "run", "walk"]
COLUMNS = {"id": "run", "time": "t", "features": "a,b", "label": "state", "label_per_step": True}


def table():
    """Returns 30 sequences of 3 to 9 rows in order; some rows have no label."""
    rng = np.random.default_rng(5)
    lengths = rng.integers(3, 10, 30)
    frame = pd.DataFrame(
        {
            "run": np.repeat(np.arange(30), lengths),
            "t": np.concatenate([np.arange(n) for n in lengths]),
            "a": rng.normal(size=lengths.sum()).astype("float32"),
            "b": rng.normal(size=lengths.sum()).astype("float32"),
            "state": rng.choice([*NAMES, ""], lengths.sum()),
        }
    )
    frame.loc[frame.t == 0, "state"] = "run"
    return frame


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The same sequences as a table, as arrays, and as shards made of each."""
    folder = tmp_path_factory.mktemp("shards")
    frame = table()
    frame.to_csv(folder / "t.csv", index=False)
    groups = [rows for _, rows in frame.groupby("run")]
    lengths = np.array([len(rows) for rows in groups])
    x, y = np.zeros((30, 9, 2), "float32"), np.full((30, 9), "junk", object)
    for i, rows in enumerate(groups):
        x[i, : len(rows)], y[i, : len(rows)] = rows[["a", "b"]], rows["state"]
    ids, features = np.arange(30), ["a", "b"]
    np.savez(
        folder / "t.npz", x=x, y=y.astype(str), lengths=lengths, ids=ids, feature_names=features
    )
    for kind, options in {"csv": COLUMNS, "npz": {}}.items():
        source = open_source(f"{kind}:{folder}/t.{kind}", options=options)
        write_shards(source, str(folder / kind), shards=2)
    return folder


def rows(split):
    """Returns the examples of a split, each as bytes, in an order of their own."""
    taken = split.take(np.arange(len(split)))
    assert taken.y.dtype == np.int32 and taken.x.dtype == np.float32
    np.testing.assert_array_equal(split.labels, taken.y)
    behind = np.arange(taken.y.shape[1]) >= taken.lengths[:, None]
    assert (taken.y[behind] == -1).all() and not taken.x[behind].any()
    return sorted(
        x.tobytes() + y.tobytes() + bytes([n])
        for x, y, n in zip(taken.x, taken.y, taken.lengths, strict=True)
    )


@pytest.mark.parametrize("kind", ["csv", "npz"])
def test_they_hold_what_the_source_holds(folder, kind):
    options = COLUMNS if kind == "csv" else {}
    whole = seqclf.load_dataset(f"{kind}:{folder}/t.{kind}", **options)
    shards = seqclf.load_dataset(f"tfrecord:{folder}/{kind}")
    assert shards.spec.per_step and shards.spec.class_names == tuple(NAMES)
    for name, split in whole.splits():
        assert len(split) and rows(shards.split(name)) == rows(split), name
    changes = {"source": "", "shift": (), "scale": ()}
    one, other = (dataclasses.replace(each.spec, **changes) for each in (whole, shards))
    assert one == other
    np.testing.assert_allclose(shards.spec.shift, whole.spec.shift, rtol=1e-5)


def test_a_table_gives_the_shards_of_its_arrays(folder):
    first, second = (read_schema(str(folder / kind)) for kind in ("csv", "npz"))
    assert first.shards == second.shards  # with the checksums of all records


def test_a_model_scores_them_alike(folder):
    whole = seqclf.load_dataset(f"npz:{folder}/t.npz")
    shards = seqclf.load_dataset(f"tfrecord:{folder}/npz")
    model = build_classifier(resolve({"model": {"units": [4]}}), whole.spec)
    one, other = (Scorer(model, whole.spec)(each.test) for each in (whole, shards))
    assert one.loss == other.loss and one.accuracy == other.accuracy
    for name in ("probabilities", "labels", "sequences"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_earlier_programs_refuse_them(folder):
    content = json.loads((folder / "npz/schema.json").read_text())
    assert content["version"] == 3 and content["per_step"] is True


def test_they_are_read_by_rows(folder):
    with pytest.raises(ConfigError, match="or with labels of time steps can only be read by `rows"):
        seqclf.load_dataset(f"tfrecord:{folder}/npz", reading="columns")


@pytest.mark.parametrize(
    ("labels", "fault"),
    [
        ([0, 1, 2], "not one label for each time step"),
        ([0, 1, 2, 0, 1], "not one label for each time step"),
        ([0, 1, 3, 0], "a label is not in -1..2"),
        ([0, -2, 1, 0], "a label is not in -1..2"),
        ([0, -1, 1, 2], ""),
    ],
)
def test_records_that_do_not_fit_the_schema(labels, fault):
    layout = Layout((6, 2), "float32", True, 3, per_step=True)
    record = tf.constant([serialize(np.zeros((4, 2), np.float32), np.array(labels))])
    faults = layout.faults(tf.io.parse_example(record, layout.features))
    found = [name for name, present in faults.items() if present.numpy().any()]
    assert len(found) == bool(fault)
    if fault:
        assert fault in found[0]
        with pytest.raises(tf.errors.InvalidArgumentError, match="not as the schema says"):
            layout.parse(record)
    else:
        assert layout.parse(record)[1].numpy().tolist() == [[0, -1, 1, 2, -1, -1]]

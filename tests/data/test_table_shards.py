"""Shards from tables: the splits are those of training on the table itself, read by pandas."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from seqclf.data.shards import table_source as module
from seqclf.data.shards.convert import open_source
from seqclf.data.shards.schema import read_schema
from seqclf.data.shards.writing import write_shards
from seqclf.data.sources import load_dataset
from seqclf.errors import ConfigError, DataError, StorageError

COLUMNS = {"id": "run", "time": "t", "label": "state"}


def table(count=60, seed=0, missing=False):
    rng = np.random.default_rng(seed)
    rows = [
        {
            **{"run": f"r{i}", "t": t, "a": rng.normal(), "b": rng.normal() + i % 3},
            **{
                "state": "xyz"[i % 3],
                "machine": f"m{i % 12}",
                "part": "train" if i % 5 else "test",
            },
        }
        for i in range(count)
        for t in range(rng.integers(3, 9))
    ]
    frame = pd.DataFrame(rows)
    if missing:
        frame.loc[rng.random(len(frame)) < 0.1, "a"] = np.nan
    return frame


def examples(split):
    """The examples of a split as a sorted list of bytes, so that their order does not count."""
    taken = split.take(np.arange(len(split)))
    lengths = np.full(len(taken), taken.x.shape[1]) if taken.lengths is None else taken.lengths
    return sorted(
        x[:n].tobytes() + bytes([y]) for x, y, n in zip(taken.x, taken.y, lengths, strict=True)
    )


def converted(source, out, options, shards=3, **more):
    write_shards(
        open_source(source, options=options, **more),
        str(out),
        shards=shards,
        keep_missing=more.get("keep_missing", False),
    )
    return load_dataset(f"tfrecord:{out}", missing="mean" if more.get("keep_missing") else "error")


OPTIONS = {
    "random splits": ({"features": "a,b"}, {}),
    "by group": ({"features": "a,b", "group": "machine", "split_by": "group"}, {}),
    "own splits": ({"features": "a,b", "split": "part"}, {}),
    "windows": ({"features": "b", "window": 3, "stride": 2}, {}),
    "one feature": ({"features": "b"}, {}),
    "missing values": ({"features": "a,b"}, {"keep_missing": True}),
}


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("name", OPTIONS)
def test_the_splits_are_those_of_training_on_the_table(tmp_path, kind, name):
    options, more = OPTIONS[name]
    options = {**COLUMNS, **options}
    file = tmp_path / f"t.{kind}"
    frame = table(missing=bool(more))
    getattr(frame, f"to_{kind}")(file, index=False)
    shards = converted(f"{kind}:{file}", tmp_path / "shards", options, seed=7, **more)
    whole = load_dataset(
        f"{kind}:{file}", split_seed=7, missing="mean" if more else "error", **options
    )
    for split, own in whole.splits():
        assert examples(shards.split(split)) == examples(own), split
        assert len(own) > 0
    for field in ("class_names", "feature_names", "table", "raw_shape", "variable_length"):
        assert getattr(shards.spec, field) == getattr(whole.spec, field), field
    np.testing.assert_allclose(shards.spec.shift, whole.spec.shift, rtol=1e-5)
    np.testing.assert_allclose(shards.spec.scale, whole.spec.scale, rtol=1e-5)


def test_the_order_is_that_of_a_table_that_is_loaded(tmp_path, monkeypatch):
    table().to_csv(tmp_path / "t.csv", index=False)
    source, options = f"csv:{tmp_path}/t.csv", {**COLUMNS, "features": "a,b"}
    converted(source, tmp_path / "a", options)
    monkeypatch.setattr("seqclf.data.shards.convert.TABLES", ())
    converted(source, tmp_path / "b", options)
    first, second = (read_schema(str(tmp_path / name)) for name in "ab")
    assert first.shards == second.shards  # with the checksums of all records


def test_rows_in_any_order(tmp_path):
    frame = table()
    frame.to_csv(tmp_path / "sorted.csv", index=False)
    frame.sample(frac=1, random_state=0).to_csv(tmp_path / "shuffled.csv", index=False)
    options = {**COLUMNS, "features": "a,b", "split": "part"}
    source = open_source(f"csv:{tmp_path}/shuffled.csv", options=options)
    assert any("read as a whole" in note for note in source.notes)
    a, b = (
        converted(f"csv:{tmp_path}/{name}.csv", tmp_path / name, options)
        for name in ("sorted", "shuffled")
    )
    assert examples(a.test) == examples(b.test)


def test_the_notes_say_what_was_guessed(tmp_path):
    table().to_csv(tmp_path / "t.csv", index=False)
    notes = open_source(f"csv:{tmp_path}/t.csv", options={"label": "state", "id": "run"}).notes
    assert any("data.features: all other numbers are features" in note for note in notes)
    npz = tmp_path / "x.npz"
    np.savez(npz, x=np.zeros((40, 3, 2), np.float32), y=np.arange(40) % 2)
    assert "it is read into memory as a whole" in open_source(f"npz:{npz}").notes


def test_what_cannot_be_written(tmp_path):
    frame = table()
    frame.loc[5, "a"] = np.nan
    frame.to_csv(tmp_path / "t.csv", index=False)
    options = {**COLUMNS, "features": "a,b"}
    with pytest.raises(DataError, match="sequence 'r.'.*missing"):
        converted(f"csv:{tmp_path}/t.csv", tmp_path / "shards", options)
    with pytest.raises(DataError, match="no column 'nothing'"):
        open_source(f"csv:{tmp_path}/t.csv", options={**options, "label": "nothing"})
    frame[:0].to_csv(tmp_path / "empty.csv", index=False)
    with pytest.raises(DataError, match="empty.csv"):
        open_source(f"csv:{tmp_path}/empty.csv", options=options)
    with pytest.raises(ConfigError, match="csv:FILE"):
        open_source("tfrecord:x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty.csv", "t.csv"]


def test_no_space_for_the_values(tmp_path, monkeypatch):
    table().to_csv(tmp_path / "t.csv", index=False)

    class Full:
        def close(self):
            pass

        def write(self, content):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(
        "seqclf.data.shards.values_on_disk.tempfile.TemporaryFile", lambda dir: Full()
    )
    with pytest.raises(StorageError, match="cannot be written .No space left on device"):
        open_source(f"csv:{tmp_path}/t.csv", options={**COLUMNS, "features": "a,b"})


def test_schemas_of_earlier_versions_still_open(tmp_path):
    table().to_csv(tmp_path / "t.csv", index=False)
    converted(f"csv:{tmp_path}/t.csv", tmp_path / "shards", {**COLUMNS, "features": "a,b"})
    path = tmp_path / "shards/schema.json"
    content = json.loads(path.read_text())
    assert content["table"]["id"] == "run" and content["feature_names"] == ["a", "b"]
    for name in ("table", "feature_names"):
        del content[name]
    path.write_text(json.dumps(content))
    spec = load_dataset(f"tfrecord:{tmp_path}/shards").spec
    assert spec.table is None and spec.feature_names == ()
    path.write_text(json.dumps({**content, "feature_names": [1]}))
    with pytest.raises(DataError, match="schema.json"):
        load_dataset(f"tfrecord:{tmp_path}/shards")


def test_the_values_are_not_held_in_memory(tmp_path, monkeypatch):
    """Of what the stream gives, no sequence is alive when a later one is asked for."""
    import weakref

    table().to_csv(tmp_path / "t.csv", index=False)
    alive, most = [], [0]
    open_table = module.open_table

    def watched(*args, **kwargs):
        stream = open_table(*args, **kwargs)
        kind = type(stream)

        class Watched(kind):
            def __iter__(self):
                for each in kind.__iter__(self):
                    each = dataclasses.replace(each, x=each.x.copy())
                    alive.append(weakref.ref(each.x))
                    most[0] = max(most[0], sum(ref() is not None for ref in alive))
                    yield each

        stream.__class__ = Watched
        return stream

    monkeypatch.setattr(module, "open_table", watched)
    open_source(f"csv:{tmp_path}/t.csv", options={**COLUMNS, "features": "a,b"})
    assert len(alive) == 60 and most[0] <= 2

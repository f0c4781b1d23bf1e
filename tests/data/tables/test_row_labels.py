"""Labels of rows: each time step of a long table is classified, read by pandas for comparison."""

import numpy as np
import pandas as pd
import pytest

import seqclf
from seqclf.data.shards.convert import open_source
from seqclf.data.tables.stream import open_table, table_layout
from seqclf.errors import ConfigError, DataError

COLUMNS = {"id": "run", "time": "t", "features": "a,b", "label": "state", "label_per_step": True}


def table(shuffled=False, labels=("10", "9", "")):
    """Returns 24 sequences of 3 to 9 rows, whose labels are numbers or missing."""
    rng = np.random.default_rng(3)
    lengths = rng.integers(3, 10, 24)
    frame = pd.DataFrame(
        {
            "run": [f"r{i}" for i in np.repeat(np.arange(24), lengths)],
            "t": np.concatenate([np.arange(n) for n in lengths]),
            "a": rng.normal(size=lengths.sum()),
            "b": rng.normal(size=lengths.sum()),
            "state": rng.choice(labels, lengths.sum()),
        }
    )
    frame.loc[frame.t == 1, "state"] = labels[0]  # no sequence is without
    return frame.sample(frac=1, random_state=0) if shuffled else frame


def source(frame, tmp_path, kind):
    if kind == "frame":
        return frame
    path = tmp_path / f"t.{kind}"
    getattr(frame, f"to_{kind}")(path, index=False)
    return f"{kind}:{path}"


def by_pandas(frame):
    """Returns run -> x `[T, 2]` and T labels, in order of time."""
    groups = frame.sort_values("t").groupby("run")
    return {
        run: (rows[["a", "b"]].to_numpy("float32"), rows["state"].tolist()) for run, rows in groups
    }


@pytest.mark.parametrize("kind", ["csv", "parquet", "frame"])
@pytest.mark.parametrize("shuffled", [False, True])
def test_each_row_has_its_label(tmp_path, kind, shuffled):
    frame = table(shuffled)
    dataset = seqclf.load_dataset(source(frame, tmp_path, kind), **COLUMNS)
    assert dataset.spec.per_step and dataset.spec.class_names == ("9", "10")
    expected = by_pandas(frame)
    for _, split in dataset.splits():
        for name, x, y, n in zip(split.ids, split.x, split.y, split.lengths, strict=True):
            values, labels = expected.pop(name)
            np.testing.assert_array_equal(x[:n], values)
            assert y[:n].tolist() == [{"9": 0, "10": 1, "": -1}[label] for label in labels]
            assert (y[n:] == -1).all()
    assert not expected
    without = (frame["state"] == "").sum()
    assert f"{without} of {len(frame)} time steps have no label" in " ".join(dataset.notes)


def test_it_is_the_dataset_of_the_arrays(tmp_path):
    frame = table()
    expected = by_pandas(frame)
    runs = list(dict.fromkeys(frame["run"]))
    arrays = seqclf.Dataset.from_arrays(
        [expected[run][0] for run in runs], [np.array(expected[run][1]) for run in runs], ids=runs
    )
    dataset = seqclf.load_dataset(frame, **COLUMNS)
    for (_, one), (_, other) in zip(dataset.splits(), arrays.splits(), strict=True):
        for name in ("x", "y", "lengths", "ids"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def long_recordings():
    """Returns 6 recordings of 30 to 41 rows, of which the first 8 rows have no label."""
    rows = []
    rng = np.random.default_rng(4)
    for i in range(6):
        length = int(rng.integers(30, 42))
        labels = np.where(np.arange(length) < 8, "", rng.choice(["on", "off"], length))
        rows.append({"run": f"r{i}", "t": np.arange(length), "state": labels})
    frame = pd.concat([pd.DataFrame(each) for each in rows])
    return frame.assign(a=rng.normal(size=len(frame)), b=rng.normal(size=len(frame)))


@pytest.mark.parametrize("shuffled", [False, True])
def test_windows_keep_the_labels_of_their_rows(tmp_path, shuffled, monkeypatch):
    monkeypatch.setattr("seqclf.data.tables.arrow_tables.BATCH_ROWS", 11)
    frame = long_recordings()
    expected = by_pandas(frame)
    frame = frame.sample(frac=1, random_state=0) if shuffled else frame
    place, options = source(frame, tmp_path, "parquet"), {**COLUMNS, "window": 4, "stride": 3}
    dataset = seqclf.load_dataset(place, **options)
    windows = {}
    for _, split in dataset.splits():
        assert split.lengths is None
        windows |= {n: (x, y) for n, x, y in zip(split.ids, split.x, split.y, strict=True)}
    layout, _ = table_layout(place.partition(":")[2], _config(options))
    path = place.partition(":")[2]
    stream = open_table(path, layout, labelled=True, per_step=True)
    streamed = {each.id: each for each in stream}
    assert streamed.keys() == windows.keys()
    starts = {run: range(0, len(x) - 3, 3) for run, (x, _) in expected.items()}
    assert windows.keys() == {f"{run}:{i}" for run in starts for i in starts[run] if i > 4}
    for name, (x, y) in windows.items():
        run, _, start = name.partition(":")
        rows = slice(int(start), int(start) + 4)
        labels = expected[run][1][rows]
        np.testing.assert_array_equal(x, expected[run][0][rows])
        np.testing.assert_array_equal(streamed[name].x, x)
        assert [("off", "on", "")[index] for index in y] == labels
        assert streamed[name].label == tuple(label or None for label in labels)
    ends = sum((len(x) - 4) % 3 for x, _ in expected.values())
    said = [f"{ends} time steps at the ends of recordings are left out"] * bool(ends)
    said.append("12 windows without any label are left out")
    assert list(stream.notes_so_far[-len(said) :]) == said
    assert any(note.endswith("; ".join(said)) for note in dataset.notes)
    kept = open_table(path, layout, labelled=False, per_step=True)
    assert len(list(kept)) == len(windows) + 12  # predictions read them too


def _config(options):
    return seqclf.config.DataConfig(source="table", **options)


def test_sequences_of_a_stream_have_a_label_for_each_row(tmp_path):
    frame = table()
    path = source(frame, tmp_path, "csv").partition(":")[2]
    layout, _ = table_layout(path, _config(COLUMNS))
    expected = by_pandas(frame)
    for each in open_table(path, layout, labelled=True, per_step=True):
        x, labels = expected[each.id]
        np.testing.assert_array_equal(each.x, x)
        assert each.label == tuple(label or None for label in labels)


def test_a_label_that_changes_names_the_key():
    options = {name: value for name, value in COLUMNS.items() if name != "label_per_step"}
    frame = table(labels=("ok", "worn"))
    with pytest.raises(DataError, match="If each row is to be classified, set `data.label_per_s"):
        seqclf.load_dataset(frame, **options)
    assert seqclf.load_dataset(frame, **options, label_per_step=True).spec.per_step


def without(run):
    frame = table()
    frame.loc[frame.run == run, "state"] = ""
    return frame


MISTAKES = {
    "wide": (table(), {"form": "wide", "time": ""}, ConfigError, "in the long form: in the wide"),
    "last": (table(), {"window": 3, "window_label": "last"}, ConfigError, "keeps its own"),
    "no label": (without("r5"), {}, DataError, "Received: none in 'state' of the sequence 'r5'"),
    "no labels": (table().assign(state=""), {"window": 3}, DataError, "none of its .* windows has"),
    "one class": (table(labels=("ok", "ok")), {}, DataError, "two classes or more. .*'ok' in all"),
    "no id": (
        table().drop(columns="run").assign(t=range(len(table()))),
        {"id": ""},
        DataError,
        r"If the table is one recording, cut it into windows \(`data.window`\)",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(name):
    frame, options, error, message = MISTAKES[name]
    with pytest.raises(error, match=message):
        seqclf.load_dataset(frame, **{**COLUMNS, **options})


def test_other_sources_have_no_such_column():
    with pytest.raises(ConfigError, match=r"is for tables .* Received: True with 'npz:x.npz'"):
        seqclf.load_dataset("npz:x.npz", label_per_step=True)
    with pytest.raises(ConfigError, match=r"is for tables .* Received: True with 'folder:x'"):
        open_source("folder:x", options={"label_per_step": True})


def test_a_number_for_no_label_is_pointed_out():
    dataset = seqclf.load_dataset(table(labels=("0", "1", "-1")), **COLUMNS)
    assert dataset.spec.class_names == ("-1", "0", "1")
    assert any("the label '-1' is read as a class" in note for note in dataset.notes)

"""The stream of a table gives what reading it as a whole gives, in level memory."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest

from seqclf.config import DataConfig
from seqclf.data.sources import load_dataset
from seqclf.data.tables.stream import open_table, table_layout
from seqclf.errors import DataError


@pytest.fixture
def frame():
    rng = np.random.default_rng(0)
    lengths = rng.integers(3, 9, 30)
    ids = np.repeat(np.arange(30), lengths)
    return pd.DataFrame(
        {
            "run": ids,
            "t": np.concatenate([np.arange(n) for n in lengths]),
            "state": np.array(["good", "bad"])[ids % 2],
            "a": rng.normal(size=len(ids)),
            "b": rng.normal(size=len(ids)),
        }
    )


def config(**options):
    return DataConfig(source="csv:x", label="state", **options)


def layout_of(path, **options):
    return table_layout(str(path), config(**options))[0]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_sequences_come_in_the_order_of_the_file(tmp_path, frame, suffix):
    path = tmp_path / f"a.{suffix}"
    frame.to_csv(path, index=False) if suffix == "csv" else frame.to_parquet(path)
    stream = open_table(str(path), layout_of(path), labelled=True)
    got = list(stream)
    assert stream.notes == () and stream.rows == stream.rows_read == len(frame)
    for each, (run, rows) in zip(got, frame.groupby("run"), strict=True):
        assert each.id == str(run) and each.label == rows["state"].iloc[0]
        assert each.group is each.split is None and each.x.dtype == np.float32
        np.testing.assert_array_equal(each.x, rows[["a", "b"]].to_numpy(np.float32))
    assert [each.id for each in stream] == [each.id for each in got]


def test_rows_that_are_apart_are_read_as_a_whole_and_said(tmp_path, frame):
    path = tmp_path / "a.csv"
    frame.sort_values("t").to_csv(path, index=False)
    stream = open_table(str(path), layout_of(path, form="long"), labelled=True)
    assert "read as a whole" in stream.notes[0]
    got = {each.id: each for each in stream}
    assert len(got) == 30
    for run, rows in frame.groupby("run"):
        np.testing.assert_array_equal(got[str(run)].x, rows[["a", "b"]].to_numpy(np.float32))


def test_blocks_that_cut_sequences_do_not_show(tmp_path, frame, monkeypatch):
    path = tmp_path / "a.parquet"
    frame.to_parquet(path)
    layout = layout_of(path)
    want = list(open_table(str(path), layout, labelled=True))
    monkeypatch.setattr("seqclf.data.tables.arrow_tables.BATCH_ROWS", 7)
    got = list(open_table(str(path), layout, labelled=True))
    for one, other in zip(got, want, strict=True):
        assert one.id == other.id
        np.testing.assert_array_equal(one.x, other.x)


def test_a_table_without_labels_is_read_by_names(tmp_path, frame):
    path = tmp_path / "a.csv"
    frame.to_csv(path, index=False)
    layout = layout_of(path)
    other = frame.drop(columns="state").assign(more=1)[["b", "more", "a", "t", "run"]]
    other.to_csv(tmp_path / "b.csv", index=False)
    stream = open_table(str(tmp_path / "b.csv"), layout, labelled=False)
    assert stream.notes == (
        "columns that are not read: more",
        "no column 'state': the true classes are not known",
    )
    first = next(iter(stream))
    assert first.label is None
    rows = frame[frame.run == 0][["a", "b"]]
    np.testing.assert_array_equal(first.x, rows.to_numpy(np.float32))
    frame.drop(columns=["a", "b"]).to_csv(tmp_path / "c.csv", index=False)
    with pytest.raises(DataError, match="there is no column 'a', 'b'. The columns are: run, t"):
        open_table(str(tmp_path / "c.csv"), layout, labelled=False)


@pytest.mark.parametrize("rule", ["majority", "last"])
@pytest.mark.parametrize("stride", [1, 3, 5])
@pytest.mark.parametrize("shuffled", [False, True])
def test_windows_are_those_of_the_dataset(tmp_path, frame, rule, stride, shuffled, monkeypatch):
    monkeypatch.setattr("seqclf.data.tables.arrow_tables.BATCH_ROWS", 11)
    rng = np.random.default_rng(1)
    frame["run"] //= 10
    frame["t"] = np.arange(len(frame))
    frame["state"] = rng.choice(["good", "bad", "idle"], len(frame))
    frame["part"] = np.where(frame["t"] % 50 < 30, "train", "val")
    if shuffled:
        frame = frame.sample(frac=1, random_state=0)
    path = tmp_path / "a.parquet"
    frame.to_parquet(path)
    options = {"window": 4, "stride": stride, "window_label": rule, "split": "part"}
    layout = layout_of(path, **options, id="run")
    got = {each.id: each for each in open_table(str(path), layout, labelled=True)}
    dataset = load_dataset(f"parquet:{path}", label="state", **options, id="run")
    names = dataset.spec.class_names
    count = 0
    for split in (dataset.train, dataset.validation, dataset.test):
        for name, x, y in zip(split.ids, split.x, split.y, strict=True):
            np.testing.assert_array_equal(got[name].x, x)
            assert got[name].label == names[y]
            count += 1
    assert count == len(got)


@pytest.mark.parametrize("shuffled", [False, True])
def test_recordings_that_are_shorter_than_a_window_are_counted(tmp_path, frame, shuffled):
    counts = frame.groupby("run").size()
    window = int(counts.max())
    if shuffled:
        frame = frame.sample(frac=1, random_state=0)
    path = tmp_path / "a.parquet"
    frame.to_parquet(path)
    stream = open_table(str(path), layout_of(path, window=window, id="run"), labelled=True)
    before = stream.notes_so_far
    list(stream)
    short = int((counts < window).sum())
    assert short and before == stream.notes
    said = f"{short} recordings are shorter than a window and are left out"
    assert stream.notes_so_far == (*stream.notes, said)


def test_memory_is_level(tmp_path):
    def peak(rows):
        path = tmp_path / f"{rows}.parquet"
        ids = np.arange(rows) // 100
        table = {"id": ids, "state": ids % 2, **{f"f{i}": np.zeros(rows) for i in range(8)}}
        pd.DataFrame(table).to_parquet(path, row_group_size=10_000)
        layout = layout_of(path)
        tracemalloc.start()
        for _ in open_table(str(path), layout, labelled=True):
            pass
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    small, large = peak(200_000), peak(800_000)
    assert large < small + 2**20

"""The long form: pandas says what each sequence is."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sensor_tables import by_id, read, same, sensors

import seqclf
from seqclf.data.sources import load_dataset
from seqclf.data.tables import long_form
from seqclf.errors import ConfigError, DataError

KINDS = ("frame", "csv", "parquet")


@pytest.mark.parametrize("kind", KINDS)
def test_sequences_are_those_of_pandas(tmp_path, kind):
    frame = sensors()
    raw = read(frame, tmp_path, kind, label="state", group="machine")
    part = raw.parts["train"]
    groups = frame.groupby("run")
    assert part.x.dtype == np.float32 and part.x.shape == (40, groups.size().max(), 2)
    assert part.ids.tolist() == [str(run) for run in groups.groups]
    assert part.lengths.tolist() == groups.size().tolist()
    assert part.labels.tolist() == groups.state.first().tolist()
    assert part.groups.tolist() == groups.machine.first().tolist()
    for i, (_, rows) in enumerate(groups):
        want = np.zeros(part.x.shape[1:], np.float32)
        want[: len(rows)] = rows[["temp", "vib"]]
        np.testing.assert_array_equal(part.x[i], want)
    assert raw.feature_names == ("temp", "vib") and raw.table.values == ("temp", "vib")


def test_rows_in_order_are_read_once(tmp_path, monkeypatch):
    frame = sensors()
    monkeypatch.setattr(long_form, "order_of", None)
    read(frame, tmp_path, label="state")
    with pytest.raises(TypeError):
        read(frame[::-1], tmp_path, label="state")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("window", [0, 3])
def test_the_order_of_the_rows_does_not_matter(tmp_path, kind, window):
    @given(st.integers(0, 2**32 - 1), st.booleans())
    def law(seed, nan):
        frame = sensors(12, seed)
        if nan:
            frame.loc[frame.index[::3], "vib"] = np.nan
        shuffled = frame.sample(frac=1, random_state=seed)
        options = {"label": "state", "window": window, "id": "run", "form": "long"}
        one = read(frame, tmp_path, kind, **options)
        other = read(shuffled, tmp_path, kind, **options)
        same(by_id(one), by_id(other))
        if window:
            steps = {r.parts["train"].step_label_names for r in (one, other)}
            assert len(steps) == 1

    law()


@given(st.integers(0, 2**32 - 1))
def test_files_and_frames_are_the_same(tmp_path_factory, seed):
    tmp_path = tmp_path_factory.mktemp("tables")
    frame = sensors(15, seed)
    want = by_id(read(frame, tmp_path, label="state"))
    for kind in KINDS:
        same(want, by_id(read(frame, tmp_path, kind, label="state")))
    polars, arrow = pl.DataFrame(frame), pa.Table.from_pandas(frame)
    categories = frame.astype({"state": "category"})
    for other in (polars, arrow, categories, frame.set_index(["run", "t"])):
        same(want, by_id(read(other, tmp_path, label="state")))


def test_pieces_that_cut_sequences_do_not_show(tmp_path, monkeypatch):
    frame = sensors(50)
    want = by_id(read(frame, tmp_path, label="state"))
    for size in (8, 24, 40, 1000):
        monkeypatch.setattr("seqclf.data.tables.pieces.PIECE_BYTES", size)
        monkeypatch.setattr("seqclf.data.tables.arrow_tables.BATCH_ROWS", size)
        same(want, by_id(read(frame, tmp_path, label="state")))
        even = frame[frame.t < 3]
        same(
            {name: (x[:3], label) for name, (x, label) in want.items()},
            by_id(read(even, tmp_path, label="state")),
        )


@pytest.mark.parametrize(
    "times",
    [
        lambda t: t + 0.5,
        lambda t: t + 10**18,  # only integers tell them apart
        lambda t: pd.Timestamp("2024-01-30") + pd.to_timedelta(t, "D"),
        lambda t: pd.Timestamp("2024-01-30", tz="UTC") + pd.to_timedelta(t, "s"),
        lambda t: (pd.Timestamp("2024-01-01") + pd.to_timedelta(t * 300, "ms")).astype(str),
        lambda t: [f"00:0{step}:30" for step in t],
        lambda t: pd.to_timedelta(t, "s"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_sorted_by_numbers_and_by_dates(tmp_path, times, kind):
    frame = sensors(10)
    want = by_id(read(frame, tmp_path, label="state"))
    frame["t"] = times(frame["t"])
    if kind == "csv" and pd.api.types.is_timedelta64_dtype(frame["t"]):
        pytest.skip("pandas writes 0 days 00:00:01, which is no ISO 8601")
    shuffled = frame.sample(frac=1, random_state=0)
    same(want, by_id(read(shuffled, tmp_path, kind, label="state", form="long")))


def test_ids_and_labels_are_text_as_it_stands(tmp_path):
    path = tmp_path / "a.csv"
    rows = [
        f"{i:03d} ,{t},{t * i}, {'NA' if i % 2 else 'None'}" for i in range(40) for t in range(3)
    ]
    path.write_text("id, t, a, label \n" + "\n".join(rows))
    dataset = load_dataset(f"csv:{path}")
    assert dataset.spec.class_names == ("NA", "None")
    assert sorted(dataset.test.ids)[0] == f"{int(sorted(dataset.test.ids)[0]):03d}"


def test_a_data_frame_is_a_source():
    frame = sensors(60)
    dataset = seqclf.load_dataset(pl.DataFrame(frame), label="state", group="machine")
    assert dataset.spec.source == "data frame" and dataset.spec.table.label == "state"
    assert dataset.spec.feature_names == ("temp", "vib")
    with pytest.raises(ConfigError, match="or a data frame of pandas, polars or pyarrow. Received"):
        seqclf.load_dataset([1, 2])


def test_own_splits_and_groups(tmp_path):
    frame = sensors(60)
    frame["part"] = np.where(frame.run < 40, "train", np.where(frame.run < 50, "val", "test"))
    dataset = load_dataset(frame, label="state", split="part")
    assert [len(split) for _, split in dataset.splits()] == [40, 10, 10]
    assert set(dataset.test.ids) == {str(i) for i in range(50, 60)}
    frame["machine"] = (frame.run // 4).astype(str)
    dataset = load_dataset(frame, label="state", group="machine", split_by="group")
    machines = [{int(i) // 4 for i in split.ids} for _, split in dataset.splits()]
    assert not machines[0] & machines[1] and not machines[0] & machines[2]


@pytest.mark.parametrize("shuffled", [False, True])
def test_windows_of_a_recording_without_ids(tmp_path, shuffled):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"t": np.arange(400), "a": rng.normal(size=400)})
    frame["label"] = np.where(frame.t // 50 % 2 == 1, "up", "down")
    want = frame.a.to_numpy(np.float32).reshape(40, 10, 1)
    if shuffled:
        frame = frame.sample(frac=1, random_state=0)
    frame["split"] = np.where(frame.t < 200, "train", np.where(frame.t < 300, "val", "test"))
    dataset = load_dataset(frame, window=10)
    assert [len(split) for _, split in dataset.splits()] == [20, 10, 10]
    got = np.concatenate([split.x for _, split in dataset.splits()])
    np.testing.assert_array_equal(got, want)
    labels = np.concatenate([split.y for _, split in dataset.splits()])
    assert labels.tolist() == ([0] * 5 + [1] * 5) * 4
    assert "the whole table is one recording" in " ".join(dataset.notes)


@pytest.mark.parametrize(
    "times",
    [
        np.array(["2400-01-01", "2024-01-01", "2024-01-02"], "M8[us]"),  # no int64 of nanoseconds
        np.array(["9999-12-31", "2024-01-01", "2024-01-02"], "M8[s]"),
        np.array([2**52 + 3, 2**52 + 1, 2**52 + 2], np.uint64),
    ],
    ids=["microseconds", "seconds", "unsigned"],
)
@pytest.mark.parametrize("kind", ["frame", "parquet"])
def test_late_times_are_sorted(tmp_path, kind, times):
    one = pd.DataFrame({"run": 0, "t": times, "v": [3.0, 1.0, 2.0], "state": "ok"})
    frame = pd.concat([one, one.assign(run=1, state="worn")])
    raw = read(frame, tmp_path, kind, id="run", label="state")
    assert raw.parts["train"].x[..., 0].tolist() == [one.sort_values("t").v.tolist()] * 2


def test_times_beyond_64_bits_are_refused():
    times = np.array([2**63 + 5, 3, 1], np.uint64)
    frame = pd.DataFrame({"run": 0, "t": times, "v": 1.0, "state": "ok"})
    with pytest.raises(
        DataError, match=r"row 0 holds 9223372036854775813 .* integers below 2\*\*63"
    ):
        read(frame, None, id="run", label="state")


@pytest.mark.parametrize("kind", KINDS)
def test_truth_values_have_the_same_names_everywhere(tmp_path, kind):
    frame = sensors().assign(state=lambda table: table.run % 2 == 0)
    labels = read(frame, tmp_path, kind, label="state").parts["train"].labels
    assert labels.tolist() == frame.groupby("run").state.first().astype(str).tolist()


def test_rows_of_an_id_that_lie_apart_are_said():
    frame = pd.DataFrame({"run": list("aabacc"), "v": np.arange(6.0), "state": list("xxyxyy")})
    raw = read(frame, None, id="run", label="state")
    assert raw.parts["train"].x[0].ravel().tolist() == [0, 1, 3]
    note = "1 of 3 ids come again behind the rows of another id"
    assert any(note in line for line in raw.notes)
    together = read(frame.sort_values("run"), None, id="run", label="state")
    assert not any("come again" in line for line in together.notes)


@pytest.mark.parametrize("order", [1, -1])
def test_a_few_long_sequences_are_said(order):
    frame = sensors(20, least=3, most=3)
    long = pd.DataFrame({"run": 99, "t": range(300), "temp": 0.5, "vib": 1.0, "state": "ok"})
    raw = read(pd.concat([frame, long])[::order], None, label="state", features="temp,vib")
    assert "the longest sequence has 300 time steps, half of all have 3" in raw.notes[-1]
    assert raw.parts["train"].x.shape == (21, 300, 2)


def test_numbers_as_labels_are_the_same_in_files_and_frames(tmp_path):
    frame = sensors(10)
    frame["state"] = frame["run"] % 2 + 0.0
    frame["run"] += 0.5
    want = by_id(read(frame, tmp_path, "csv", label="state"))
    assert set(want) == {f"{i}.5" for i in range(10)} and want["0.5"][1] == "0.0"
    same(want, by_id(read(frame, tmp_path, label="state")))
    same(want, by_id(read(frame, tmp_path, "parquet", label="state")))

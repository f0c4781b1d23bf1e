"""The wide form, which holds the same as the long one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sensor_tables import by_id, read, same, sensors

from seqclf.config import DataConfig
from seqclf.data.sources import load_dataset
from seqclf.data.tables.stream import open_table, table_layout


def widened(frame):
    wide = frame.pivot(index="run", columns="t", values="temp").add_prefix("s").reset_index()
    wide["state"] = np.array(["ok", "worn"])[wide.run % 2]
    return wide


@given(st.integers(0, 2**32 - 1), st.sampled_from(["frame", "csv", "parquet"]))
def test_wide_is_long(tmp_path_factory, seed, kind):
    tmp_path = tmp_path_factory.mktemp("tables")
    frame = sensors(15, seed)
    wide = read(widened(frame), tmp_path, kind, label="state")
    assert wide.table.form == "wide" and wide.feature_names == ()
    same(by_id(wide), by_id(read(frame, tmp_path, label="state", features="temp")))


def test_a_gap_is_missing_and_an_end_is_an_end(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("label,s0,s1,s2,s3\n" + "a,1,,3,\nb,1,2,3,4\na,,2,,\n" * 20)
    dataset = load_dataset(f"csv:{path}", missing="mean")
    assert dataset.spec.variable_length and dataset.spec.time_steps == 4
    x = np.concatenate([split.x for _, split in dataset.splits()])
    lengths = np.concatenate([split.lengths for _, split in dataset.splits()])
    assert sorted(set(lengths.tolist())) == [2, 3, 4]
    assert np.isnan(x).sum() == 40
    assert "40 of 60 rows end in missing values, which are read as their end" in dataset.notes


def test_equal_lengths_need_no_lengths_and_no_ids():
    frame = sensors(20, least=5, most=5)
    wide = widened(frame).drop(columns="run")
    raw = read(wide, None, label="state")
    assert raw.parts["train"].lengths is None and raw.parts["train"].ids is None


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_the_stream_is_the_same(tmp_path, kind):
    wide = widened(sensors(30))
    raw = read(wide, tmp_path, kind, label="state")
    path = str(tmp_path / f"table.{kind}")
    layout, _ = table_layout(path, DataConfig(source="table", label="state"))
    got = {each.id: (each.x, each.label) for each in open_table(path, layout, labelled=True)}
    same(by_id(raw), got)
    stream = open_table(path, layout, labelled=False)
    assert len(list(stream)) == 30 == stream.rows_read


def test_columns_out_of_order_are_said():
    wide = widened(sensors(20))[["run", "state", "s0", "s2", "s1"]]
    assert (
        "(s0, s2, s1, …): the time steps are read in the order"
        in read(wide, None, label="state").notes[-1]
    )

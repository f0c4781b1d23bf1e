"""The examples that a run leaves beside its model, to try it with."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from seqclf.data.dataset import Dataset, DatasetSpec, Split
from seqclf.data.table_layout import TableLayout
from seqclf.data.tables.stream import open_table
from seqclf.experiment.samples import samples_for_inspection, write_samples
from seqclf.storage.run_directory import Run


@pytest.mark.parametrize(
    ("shape", "dtype", "suffix"),
    [
        ((6, 5), "uint8", ".png"),
        ((6, 5, 3), "uint8", ".png"),
        ((6, 5, 2), "uint8", ".npz"),  # no picture file holds two channels, or five
        ((6, 5, 5), "uint8", ".npz"),
        ((6, 5), "float32", ".npz"),
    ],
)
def test_pictures_where_a_file_can_hold_them_and_arrays_elsewhere(tmp_path, shape, dtype, suffix):
    x = np.random.default_rng(0).integers(0, 256, (4, *shape)).astype(dtype)
    split = Split(x, np.array([0, 1, 1, 0], np.int32))
    spec = DatasetSpec("test", "rows", shape, dtype, ("a", "b"))
    run = Run(tmp_path)
    run.samples.mkdir()
    files = write_samples(run, Dataset(spec, split, split, split, "test"))
    assert {file.suffix for file in files} == {suffix}
    if suffix == ".npz":
        np.testing.assert_array_equal(np.load(files[0])["x"], x[:3])


def sampled(tmp_path, layout, split):
    spec = DatasetSpec("csv:x.csv", "rows", split.x.shape[1:], "float32", ("a", "b"), table=layout)
    spec = dataclasses.replace(spec, variable_length=split.lengths is not None)
    run = Run(tmp_path)
    run.samples.mkdir()
    table, arrays = write_samples(run, Dataset(spec, split, split, split, "test"))
    assert (table.name, arrays.name) == ("samples.csv", "samples.npz")
    assert samples_for_inspection(run) == [arrays]
    return table


def split_of(features=2, lengths=(5, 2, 4, 1)):
    x = np.random.default_rng(0).normal(size=(4, 5, features)).astype("float32")
    x[0, 1, 0] = np.nan
    ids = np.array(["b,1", "ü", "c", "d"], object)
    y = np.array([0, 1, 1, 0], np.int32)
    return Split(x, y, None if lengths is None else np.array(lengths, np.int32), ids)


@pytest.mark.parametrize(("separator", "decimal"), [(",", "."), (";", ","), ("\t", ".")])
def test_a_table_in_the_layout_of_the_training_table(tmp_path, separator, decimal):
    layout = TableLayout(
        *("long", "run", "when", "state", "machine", "part", ("u v", "w")),
        separator=separator,
        decimal=decimal,
    )
    split = split_of()
    table = sampled(tmp_path, layout, split)
    frame = pd.read_csv(table, sep=separator, decimal=decimal)
    assert list(frame) == ["run", "when", "u v", "w"]
    for i, sequence in enumerate(open_table(str(table), layout, labelled=False)):
        assert sequence.id == split.ids[i]
        wanted = split.x[i, : split.lengths[i]]
        np.testing.assert_array_equal(sequence.x, wanted)
        own = frame[frame["run"] == sequence.id]
        np.testing.assert_array_equal(own[["u v", "w"]].to_numpy("float32"), wanted)
        assert own["when"].tolist() == list(range(len(wanted)))
    assert i == 2


def test_a_table_without_ids_is_one_recording(tmp_path):
    layout = TableLayout("long", values=("u", "w"), window=5, stride=5)
    split = split_of(lengths=None)
    table = sampled(tmp_path, layout, split)
    (window,) = open_table(str(table), layout, labelled=False)
    np.testing.assert_array_equal(window.x, split.x[0])


def test_a_table_of_the_wide_form(tmp_path):
    layout = TableLayout("wide", id="run", values=tuple("abcde"))
    split = split_of(features=1)
    frame = pd.read_csv(sampled(tmp_path, layout, split), index_col="run")
    for i in range(3):
        length = split.lengths[i]
        row = frame.loc[split.ids[i]].to_numpy("float32")
        np.testing.assert_array_equal(row[:length], split.x[i, :length, 0])
        assert np.isnan(row[length:]).all()

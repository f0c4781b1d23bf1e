"""`data.weight`: the weights of a table's sequences, against pandas."""

import numpy as np
import pandas as pd
import pytest
from sensor_tables import read, sensors

import seqclf
from seqclf.config import DataConfig
from seqclf.data.sources import load_dataset
from seqclf.data.tables.reading import csv_data
from seqclf.data.tables.stream import open_table
from seqclf.errors import ConfigError, DataError


def weighted(count=40):
    frame = sensors(count)
    frame["cost"] = frame.run % 3  # constant within a sequence, as a group is
    return frame


def wide():
    rows = {"id": range(4), "s0": 1.0, "s1": 2.0, "label": list("abab"), "cost": [0, 1.5, 2, 0.5]}
    return pd.DataFrame(rows)


@pytest.mark.parametrize("kind", ["frame", "csv", "parquet"])
@pytest.mark.parametrize("shuffled", [False, True])
def test_weights_are_those_of_pandas_and_no_feature(tmp_path, kind, shuffled):
    frame = weighted()
    rows = frame.sample(frac=1, random_state=0) if shuffled else frame
    raw = read(rows, tmp_path, kind, label="state", id="run", weight="cost")
    part = raw.parts["train"]
    expected = frame.groupby("run").cost.first()
    np.testing.assert_array_equal(part.weights, expected[part.ids.astype(int)])
    assert raw.feature_names == ("temp", "vib")
    assert not any("cost" in note for note in raw.notes)


@pytest.mark.parametrize("kind", ["frame", "csv", "parquet"])
def test_weights_of_the_wide_form_and_its_decimal_comma(tmp_path, kind):
    raw = read(wide(), tmp_path, kind, weight="cost")
    assert raw.parts["train"].weights.tolist() == [0, 1.5, 2, 0.5]
    assert raw.parts["train"].x.shape == (4, 2, 1)
    path = tmp_path / "comma.csv"
    wide().to_csv(path, index=False, sep=";", decimal=",")
    config = DataConfig(source="table", separator=";", decimal=",", weight="cost")
    assert csv_data(str(path), config).parts["train"].weights.tolist() == [0, 1.5, 2, 0.5]


def test_windows_have_the_weight_of_their_recording(tmp_path):
    raw = read(weighted(), tmp_path, label="state", weight="cost", window=3)
    dataset = seqclf.load_dataset(weighted(), label="state", weight="cost", window=3)
    assert len(raw.parts["train"].weights) == 40
    recordings = np.array([int(name.split(":")[0]) for name in dataset.train.ids])
    np.testing.assert_array_equal(dataset.train.weights, recordings % 3)


def test_a_table_to_predict_needs_no_weights(tmp_path):
    raw = read(weighted(), tmp_path, label="state", weight="cost")
    new = open_table(sensors(3), raw.table, labelled=False)
    assert len(list(new)) == 3 and not any("cost" in note for note in new.notes)


@pytest.mark.parametrize(
    ("row", "value", "message"),
    [
        (
            4,
            9.0,
            "the weight must be the same in all rows of a sequence.*'9.0' after '0.0'.* If another",
        ),
        (slice(None), -1.0, "must hold numbers of 0 or more. Received: '-1.0' of the sequence '0'"),
        (slice(None), "much", "'cost' .`data.weight`. must hold .* Received: 'much'"),
        (slice(None), np.inf, "must hold numbers of 0 or more. Received: 'inf'"),
        (4, None, "has nothing in the column 'cost' .`data.weight`.. Fill it in"),
    ],
)
def test_weights_that_cannot_be_used_are_one_message(tmp_path, row, value, message):
    frame = sensors(10, least=6)
    frame["cost"] = pd.Series([0.0] * len(frame), dtype=object)
    frame.loc[row, "cost"] = value
    with pytest.raises(DataError, match=message):
        read(frame, tmp_path, "csv", label="state", weight="cost")


def test_a_column_that_is_missing_or_means_something_else_is_refused(tmp_path):
    with pytest.raises(DataError, match="there is no column 'price'"):
        read(weighted(), tmp_path, label="state", weight="price")
    with pytest.raises(ConfigError, match="`data.label` and `data.weight` must name different"):
        read(weighted(), tmp_path, label="state", weight="state")
    with pytest.raises(ConfigError, match="names a column of a table.*'cost' with 'digits'"):
        load_dataset("digits", weight="cost")
    with pytest.raises(ConfigError, match="`data.weight` names a column of one table"):
        load_dataset(f"folder:{tmp_path}", weight="cost")

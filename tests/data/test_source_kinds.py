"""A path without the kind of data before it is refused with the source that was meant."""

import pytest
from running import seqclf as command

import seqclf
from seqclf.errors import ConfigError, DataError


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("sensors.csv", "csv:sensors.csv"),
        ("data/Sensors.CSV", "csv:data/Sensors.CSV"),
        ("a.parquet", "parquet:a.parquet"),
        ("a.npz", "npz:a.npz"),
        ("A_TRAIN.ts", "ts:TRAIN,TEST"),
        ("./photos", "folder:./photos"),
        ("/data/photos", "folder:/data/photos"),
    ],
)
def test_a_path_without_its_kind(given, meant):
    with pytest.raises(ConfigError, match=f"Received: '{given}'. Try '{meant}'"):
        seqclf.load_dataset(given)


def test_a_command_says_it_at_once():
    said = command("train", "--config.data.source=sensors.csv", status=2)
    assert "Try 'csv:sensors.csv'" in said and "Starting TensorFlow" not in said


def test_an_unknown_name_is_told_all_kinds():
    with pytest.raises(DataError, match="csv:FILE.*folder:DIR.*does not know. Did you mean"):
        seqclf.load_dataset("mnits")

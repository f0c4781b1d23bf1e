"""The range of the training inputs, which tells inputs of another scale from right ones."""

import json

import numpy as np
import pytest
from numbered_shards import numbered

from seqclf.data import values
from seqclf.data.dataset import Dataset, DatasetSpec
from seqclf.data.input_range import input_range
from seqclf.data.shards.convert import open_source
from seqclf.data.shards.measure import EXAMPLES_AT_ONCE
from seqclf.data.shards.writing import write_shards
from seqclf.data.sources import load_dataset
from seqclf.data.split import Split


def dataset(x, spec, lengths=None):
    train = Split(x, np.zeros(len(x), np.int32), lengths)
    other = Split(x[:1] * 0 - 99, np.zeros(1, np.int32), None if lengths is None else lengths[:1])
    return Dataset(spec, train, other, other, "made up")


def test_images_go_from_black_to_full_scale():
    spec = DatasetSpec("t", "rows", (4, 3), "uint8", ("a", "b"), full_scale=16.0)
    assert input_range(dataset(np.ones((2, 4, 3), np.uint8), spec)) == {"low": 0.0, "high": 16.0}


def test_each_feature_has_a_range_of_its_own(monkeypatch):
    monkeypatch.setattr(values, "PART_BYTES", 1000)  # several parts
    x = np.random.default_rng(0).normal(size=(105, 4, 3)).astype("float32") * [1, 10, 100]
    x[-1, 2] = [-1000, 2000, 3000]
    spec = DatasetSpec("t", "rows", (4, 3), "float32", ("a", "b"))

    found = input_range(dataset(x, spec))

    assert found == {"low": x.min((0, 1)).tolist(), "high": x.max((0, 1)).tolist()}
    assert found["low"][0] == -1000 and found["high"][1:] == [2000, 3000]


def test_padding_does_not_count():
    x = np.full((2, 4, 1), 7.0, "float32")
    x[0, 3:], x[1, 2:] = 1e6, -1e6
    spec = DatasetSpec("t", "rows", (4, 1), "float32", ("a", "b"), variable_length=True)

    found = input_range(dataset(x, spec, np.array([3, 2], np.int32)))

    assert found == {"low": [7.0], "high": [7.0]}


@pytest.mark.parametrize("varying", [False, True])
def test_shards_have_the_range_of_the_same_examples_in_memory(varying, tmp_path):
    rng = np.random.default_rng(1)
    count = 2 * EXAMPLES_AT_ONCE  # the range of several parts
    x = rng.normal(size=(count, 4, 3)).astype("float32") * [1, 10, 100]
    lengths = rng.integers(1, 5, count) if varying else np.full(count, 4)
    x[np.arange(4) >= lengths[:, None]] = 1e6  # padding
    content = {"x": x, "y": np.arange(count) % 2} | ({"lengths": lengths} if varying else {})
    np.savez(tmp_path / "d.npz", **content)
    source = f"npz:{tmp_path / 'd.npz'}"

    write_shards(open_source(source), str(tmp_path / "shards"), shards=2)

    found = input_range(load_dataset(f"tfrecord:{tmp_path / 'shards'}"))
    assert found == input_range(load_dataset(source))
    assert json.loads(json.dumps(found)) == found  # as a manifest keeps it


def test_shards_of_images_record_no_range(tmp_path):
    numbered(tmp_path / "shards", 8, 2, dtype="uint8")

    assert "input_range" not in json.loads((tmp_path / "shards/schema.json").read_text())
    loaded = load_dataset(f"tfrecord:{tmp_path / 'shards'}")
    assert input_range(loaded) == {"low": 0.0, "high": 255.0}


def test_it_is_unknown_of_shards_of_earlier_versions(tmp_path):
    before = numbered(tmp_path / "shards", 8, 2)
    assert input_range(before) == {"low": [0.0, 0.0], "high": [7.0, 7.0]}
    schema = tmp_path / "shards/schema.json"
    content = json.loads(schema.read_text())
    del content["input_range"]
    schema.write_text(json.dumps(content))

    opened = load_dataset(f"tfrecord:{tmp_path / 'shards'}/*.tfrecord", normalize="none")

    assert input_range(opened) is None
    assert opened.fingerprint() == before.fingerprint()


def test_missing_values_do_not_count():
    x = np.array([[[1, np.nan], [np.nan, 5]], [[3, np.nan], [2, 7]]], "float32")
    spec = DatasetSpec("t", "rows", (2, 2), "float32", ("a", "b"), missing="mean", fill=(2, 6))
    assert input_range(dataset(x, spec)) == {"low": [1.0, 5.0], "high": [3.0, 7.0]}

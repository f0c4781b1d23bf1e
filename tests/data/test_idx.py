"""MNIST's file format: read whole, refused when damaged."""

import gzip
import struct

import numpy as np
import pytest

from seqclf.data.idx import FILES, load_idx
from seqclf.data.sources import load_dataset
from seqclf.errors import DataError


def encode(array):
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.tobytes()


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    return {
        split: (
            rng.integers(0, 256, (count, 4, 3), dtype=np.uint8),
            rng.integers(0, 2, count, dtype=np.uint8),
        )
        for split, count in (("train", 40), ("test", 10))
    }


def write(folder, arrays, compress):
    for split, names in FILES.items():
        for name, array in zip(names, arrays[split], strict=True):
            content = encode(array)
            path = folder / (name + (".gz" if compress else ""))
            path.write_bytes(gzip.compress(content) if compress else content)


@pytest.mark.parametrize("compress", [True, False])
def test_arrays_come_back_as_written(tmp_path, arrays, compress):
    write(tmp_path, arrays, compress)
    loaded = load_idx(str(tmp_path))
    for split, pair in arrays.items():
        for read, written in zip(loaded[split], pair, strict=True):
            np.testing.assert_array_equal(read, written)


def test_the_name_with_a_dot_is_found(tmp_path, arrays):
    write(tmp_path, arrays, compress=False)
    for path in list(tmp_path.iterdir()):
        path.rename(path.with_name(path.name.replace("-idx", ".idx")))
    assert len(load_idx(str(tmp_path))["test"][1]) == 10


def test_missing_folder_and_missing_file(tmp_path, arrays):
    with pytest.raises(DataError, match="no such folder"):
        load_idx(str(tmp_path / "nowhere"))
    write(tmp_path, arrays, compress=True)
    (tmp_path / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataError, match="t10k-labels-idx1-ubyte: no such file"):
        load_idx(str(tmp_path))


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("keep", [0, 3, 7, 20, -1])
def test_truncated_files_are_named(tmp_path, arrays, compress, keep):
    write(tmp_path, arrays, compress)
    path = tmp_path / ("train-images-idx3-ubyte" + (".gz" if compress else ""))
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match="train-images-idx3-ubyte"):
        load_idx(str(tmp_path))


def test_a_class_without_test_examples_is_said(tmp_path, arrays):
    arrays["test"] = (arrays["test"][0], np.zeros(10, np.uint8))
    write(tmp_path, arrays, compress=False)
    (note,) = load_dataset(f"idx:{tmp_path}").notes
    assert note == "no example of 1 of the 2 classes in the test split: '1'"


def test_foreign_files_are_named(tmp_path, arrays):
    write(tmp_path, arrays, compress=False)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(encode(arrays["train"][0]))
    with pytest.raises(DataError, match=r"must start with the bytes 00 00 08 01. Received: 00 00"):
        load_idx(str(tmp_path))

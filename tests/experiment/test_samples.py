"""The examples that a run leaves beside its model, to try it with."""

import numpy as np
import pytest

from seqclf.data.dataset import Dataset, DatasetSpec, Split
from seqclf.experiment.samples import write_samples
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

"""Two small kinds of data, images and sequences of varying length, and examples of them."""

import numpy as np

from seqclf.data.dataset import DatasetSpec

IMAGES = DatasetSpec("test", "rows", (6, 5), "uint8", ("a", "b", "c"), scale=(1 / 255,))
VARYING = DatasetSpec(
    "test", "rows", (6, 5), "float32", ("a", "b"), True, shift=(1.0,) * 5, scale=(0.5,) * 5
)


def examples(spec, count, seed=0):
    rng = np.random.default_rng(seed)
    if spec.raw_dtype == "uint8":
        return rng.integers(0, 256, (count, *spec.raw_shape), dtype=np.uint8)
    return rng.normal(size=(count, *spec.raw_shape)).astype("float32")

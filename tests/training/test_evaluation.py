"""Scoring a split: what is said on the way."""

import keras
import numpy as np

from seqclf.data.dataset import DatasetSpec, Split
from seqclf.training.evaluation import Scorer


def test_progress_counts_every_example_once():
    spec = DatasetSpec("test", "rows", (3, 2), "float32", ("a", "b"))
    inputs = keras.Input((3, 2))
    model = keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Flatten()(inputs)))
    x = np.random.default_rng(0).normal(size=(1100, 3, 2)).astype(np.float32)
    split = Split(x, (x[:, 0, 0] > 0).astype(np.int32))
    told = []
    score = Scorer(model, spec)(split, lambda done, total: told.append((done, total)))
    assert told == [(512, 1100), (1024, 1100), (1100, 1100)]
    assert score.labels.tolist() == split.y.tolist()

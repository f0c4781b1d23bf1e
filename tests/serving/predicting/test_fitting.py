"""What a model takes: shapes, missing values, whole numbers."""

import numpy as np
import pytest

from seqclf.data.spec import DatasetSpec
from seqclf.errors import DataError
from seqclf.serving.model_input import ModelInput
from seqclf.serving.predicting.fitting import fitted


def model(dtype="float32", steps=None, missing="error"):
    spec = DatasetSpec("test", "rows", (4, 2), "float32", ("a", "b"), missing=missing)
    return ModelInput(dtype, (steps, 2), steps is None, False, spec)


def test_what_fits_is_converted():
    x = np.arange(8.0).reshape(4, 2)
    assert fitted(x, model(), "f").dtype == np.float32
    whole = fitted(x, model("uint8"), "f")
    assert whole.dtype == np.uint8 and whole.tolist() == x.tolist()


@pytest.mark.parametrize("missing", ["interpolate", "forward", "mean", "indicator"])
def test_a_missing_value_is_the_models_own_matter_if_it_was_trained_so(missing):
    x = np.array([[1.0, np.nan]])
    np.testing.assert_array_equal(fitted(x, model(missing=missing), "f"), x.astype("float32"))


@pytest.mark.parametrize(
    ("x", "made", "message"),
    [
        ([[1.0, np.nan]], model(), "f: the value of v is missing at time step 0"),
        ([[1.0, np.nan]], model("uint8", missing="mean"), "the value of v is missing"),
        ([[1.0, 2.0], [np.inf, 0.0]], model(missing="mean"), "inf for u at time step 1"),
        ([[1.0, 1e300]], model(), "1e.300 for v at time step 0"),
        ([[1.0, 2.0]], model(steps=4), "sequences of 4 time steps.* Received: 1"),
        ([[1.0]], model(), r"of shape \[T, 2\].* Received: \[1, 1\]"),
        (np.zeros((0, 2)), model(), r"Received: \[0, 2\]"),
        ([[1.5, 2.0]], model("uint8"), "whole numbers from 0 to 255"),
        ([[256.0, 2.0]], model("uint8"), "whole numbers from 0 to 255"),
    ],
)
def test_what_does_not_fit_is_refused(x, made, message):
    with pytest.raises(DataError, match=message):
        fitted(np.array(x), made, "f", ("u", "v"))

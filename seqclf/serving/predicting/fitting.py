"""`fitted`: a sequence in the dtype of the model, after checks of its shape and its values."""

import numpy as np

from seqclf.errors import DataError
from seqclf.serving.model_input import ModelInput


def fitted(
    x: np.ndarray, model: ModelInput, where: str, feature_names: tuple[str, ...] = ()
) -> np.ndarray:
    """Returns a sequence in the dtype of the model.

    Args:
        x: `[T, D]` real numbers; a missing value is NaN.
        model: description of the inputs that the model takes.
        where: the file and the id of the sequence, for messages.
        feature_names: the name of each feature, for messages; (): their indices stand for them.

    Raises:
        DataError: the model does not take a sequence of this shape or with these values.
    """
    steps, features = model.shape[0], model.features
    if x.ndim != 2 or features is None or x.shape[1] != features or not len(x):
        raise DataError(
            f"{where}: a sequence must be of shape [T, {features}] for this model, T at least 1. "
            f"Received: {list(x.shape)}"
        )
    if steps is not None and len(x) != steps:
        raise DataError(
            f"{where}: this model reads sequences of {steps} time steps, as those were that it was "
            f"trained on. Received: {len(x)}"
        )
    with np.errstate(over="ignore"):  # what is too large becomes inf and is refused
        single = x.astype(np.float32)
    bad = ~np.isfinite(single)
    if bad.any():
        _check_finite(x, bad, model, where, feature_names)
    if model.dtype != "uint8":
        return single
    if ((single != np.round(single)) | (single < 0) | (single > 255)).any():
        raise DataError(f"{where}: this model reads whole numbers from 0 to 255.")
    return single.astype(np.uint8)


def _check_finite(
    x: np.ndarray, bad: np.ndarray, model: ModelInput, where: str, names: tuple[str, ...]
) -> None:
    refused = bad & ~np.isnan(x) if model.takes_missing else bad
    if not refused.any():
        return
    step, feature = map(int, np.argwhere(refused)[0])
    name = names[feature] if names else f"feature {feature}"
    value = x[step, feature]
    if np.isnan(value):
        raise DataError(
            f"{where}: the value of {name} is missing at time step {step}, and this model takes no "
            "missing values: fill them in, or train a model with `data.missing`."
        )
    raise DataError(
        f"{where}: values must be finite, in float32. Received: {value} for {name} at time step "
        f"{step}"
    )

"""Loading a trained classifier, from a run directory or from a `.keras` file."""

from pathlib import Path

import keras
import numpy as np

import seqclf.layers  # noqa: F401 (registers our layers with Keras)
from seqclf.data.dataset import DatasetSpec
from seqclf.errors import RunError
from seqclf.models.language_model import is_language_model
from seqclf.storage.run_directory import Run

LARGEST = float(np.finfo(np.float32).max)
LONGEST = 300  # characters of an error's message that are shown


def load_trained(run: Run) -> tuple[keras.Model, DatasetSpec]:
    """Loads the classifier of a run, and the spec of its data.

    Raises:
        RunError: the folder is no run directory, or it has no model yet, or its model is damaged or
            does not fit the spec.
    """
    run.read_config()
    if not run.model.exists() or not run.dataset.exists():
        raise RunError(f"{run.path} has no model.keras yet: finish its training first.")
    try:
        spec = DatasetSpec.from_json(run.dataset.read_text("utf-8"))
        _check_writable(spec)
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise RunError(f"{run.dataset} cannot be read: {_brief(error)}") from error
    return load_classifier(run.model, spec), spec


def load_classifier(path: Path, spec: DatasetSpec | None = None) -> keras.Model:
    """Loads a classifier that `model.save(path)` wrote, in Keras's safe mode.

    Args:
        path: the `.keras` file.
        spec: the spec of the data that the model must fit; None skips that check.

    Raises:
        RunError: the file cannot be read, is damaged, or holds a model of other data.
    """
    try:
        path.read_bytes()  # of a file that cannot be read, Keras says that it does not exist
        model = keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras and h5py raise errors of many types for a damaged file
        said = (
            error.strerror if isinstance(error, PermissionError) else f"damaged ({_brief(error)})"
        )
        raise RunError(f"{path} cannot be loaded as a model: {said}.") from error
    if spec is not None:
        _check_fits(model, spec, path)
    return model


def _check_writable(spec: DatasetSpec) -> None:
    """Raises ValueError for values that no export could hold, as a damaged file may have them."""
    features = spec.raw_features
    wanted: dict[str, tuple[int, ...]] = {"shift": (1, features), "scale": (1, features)}
    wanted["fill"] = (0, features) if spec.missing == "error" else (features,)
    for name, counts in wanted.items():
        values = getattr(spec, name)
        if len(values) not in counts:
            raise ValueError(
                f"{name} must have {' or '.join(map(str, counts))} values for {features} features. "
                f"Received: {len(values)}"
            )
        if not all(abs(value) <= LARGEST for value in values):
            raise ValueError(f"{name} must be of finite numbers. Received: {values!r:.80}")
    "".join((spec.source, *spec.class_names)).encode()  # half a surrogate pair cannot be written


def _check_fits(model: keras.Model, spec: DatasetSpec, path: Path) -> None:
    if spec.is_text or is_language_model(model):
        if spec.is_text != is_language_model(model) or model.output_shape[-1] != spec.num_classes:
            kind = "a text with a vocabulary of" if spec.is_text else "sequences of"
            raise RunError(
                f"{path} is a model of other data: it gives {model.output_shape}; this run's data "
                f"are {kind} {spec.num_classes:,}."
            )
        return
    steps = None if spec.variable_length else spec.time_steps
    wanted = [(None, steps, spec.features)] + ([(None,)] if spec.variable_length else [])
    given = [tuple(tensor.shape) for tensor in model.inputs]
    logits = (None, steps, spec.num_classes) if spec.per_step else (None, spec.num_classes)
    if given != wanted or model.output_shape != logits:
        raise RunError(
            f"{path} is a model of other data: it takes {given} and gives {model.output_shape}; "
            f"this run's data are {wanted} of {spec.num_classes} classes."
        )


def _brief(error: Exception) -> str:
    """Returns the beginning of an error's message on one line; Keras's may hold the whole model."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= LONGEST else text[: LONGEST - 2] + " …"

"""The files of an estimator: its folder, which is a run directory too, and its exports.

config.json, dataset.json, model.keras    as in a run directory
estimator.json                            the parameters, the labels and the records of the training
"""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seqclf.api.estimator.configs import config_from_json, config_to_json
from seqclf.api.runs import load_run
from seqclf.config import to_json
from seqclf.errors import DataError, RunError, StorageError
from seqclf.storage.files import read_json, unwritable_message
from seqclf.storage.folders import staging_folder
from seqclf.storage.run_directory import Run

if TYPE_CHECKING:
    from seqclf.api.estimator.classifier import SequenceClassifier
    from seqclf.data.spec import DatasetSpec
    from seqclf.serving.warmup import WarmupExamples

NAME = "estimator.json"
ENTRIES = ("parameters", "classes", "dtype", "records", "notes", "input_range")  # of the file


def save(estimator: "SequenceClassifier", path: str | Path) -> None:
    """Writes a fitted estimator into a folder, whole or not at all; see its method `save`."""
    folder = Path(path).expanduser()
    content = json.dumps(_content(estimator), indent=2) + "\n"
    _check_free(folder)
    try:
        with staging_folder(folder.parent, f"{folder.name}-") as new:
            run = Run(new)
            estimator.model_.save(run.model)
            run.config.write_text(to_json(estimator.config_))
            run.dataset.write_text(estimator.spec_.to_json())
            (new / NAME).write_text(content)
            with staging_folder(folder.parent, f"{folder.name}-") as old:
                if folder.exists():
                    os.rename(folder, old / "replaced")
                os.rename(new, folder)
    except OSError as error:
        raise StorageError(unwritable_message(folder, error)) from error


def _check_free(folder: Path) -> None:
    taken = folder.is_dir() and any(folder.iterdir())
    if folder.is_file() or (taken and not (folder / NAME).is_file()):
        raise RunError(
            f"{folder} exists and holds no saved SequenceClassifier (it lacks {NAME}): it is left "
            "as it is. Choose another folder."
        )


def _content(estimator: "SequenceClassifier") -> dict[str, Any]:
    parameters = estimator.get_params(deep=False)
    parameters["config"] = config_to_json(parameters["config"])
    if isinstance(parameters["class_weight"], dict):
        pairs = parameters["class_weight"].items()
        parameters["class_weight"] = [[_plain(label), _plain(weight)] for label, weight in pairs]
    if isinstance(parameters["random_state"], np.random.RandomState):
        parameters["random_state"] = estimator.config_.seed
    dtype, labels = estimator.classes_.dtype, estimator.classes_.tolist()
    if not all(isinstance(label, (str, int, float)) for label in labels):
        raise DataError(
            "Only labels that are strings or numbers can be saved. Received: "
            f"{labels[0]!r} of dtype {dtype}"
        )
    return {
        "parameters": {name: _plain(value) for name, value in parameters.items()},
        "classes": labels,
        "dtype": dtype.str,
        "records": estimator.history_,
        "notes": estimator.notes_,
        "input_range": estimator.input_range_,
    }


def _plain(value: Any) -> Any:
    """Returns a NumPy number as one of Python."""
    return value.item() if isinstance(value, np.generic) else value


def load(estimator: "SequenceClassifier", path: str | Path) -> None:
    """Gives a new estimator the parameters and the model of a folder that `save` wrote."""
    folder = Path(path).expanduser()
    if not (folder / NAME).is_file():
        raise RunError(f"{folder} holds no saved SequenceClassifier: it lacks {NAME}.")
    run = load_run(folder)
    content = read_json(folder / NAME, _check)
    estimator.config_, estimator.model_, estimator.spec_ = run.config, run.model, run.spec
    estimator.n_features_in_ = run.spec.raw_features
    try:
        _read(estimator, content)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise RunError(f"{folder / NAME} is damaged: {error}. Save the estimator again.") from error


def _read(estimator: "SequenceClassifier", content: dict[str, Any]) -> None:
    """Gives an estimator what `_content` has returned."""
    parameters = content["parameters"]
    parameters["config"] = config_from_json(parameters["config"])
    if isinstance(parameters["class_weight"], list):
        parameters["class_weight"] = dict(parameters["class_weight"])
    estimator.set_params(**parameters)
    estimator.classes_ = np.array(content["classes"], content["dtype"])
    if estimator.classes_.shape != (estimator.spec_.num_classes,):
        raise ValueError(f"`classes` must be {estimator.spec_.num_classes} labels")
    estimator.history_, estimator.notes_ = content["records"], tuple(content["notes"])
    estimator.input_range_ = content["input_range"]


def _check(content: dict[str, Any]) -> None:
    if missing := [name for name in ENTRIES if name not in content]:
        raise ValueError(f"it lacks {missing[0]!r}")


def export(
    estimator: "SequenceClassifier", export_dir: str | Path, keep: int, litert: str, onnx: bool
) -> Path:
    """Exports the model of a fitted estimator as the next version; see its method `export`."""
    from seqclf.serving.export import export_model
    from seqclf.storage.environment import describe_environment

    facts = {
        "run": "SequenceClassifier",
        "config": estimator.config_.to_dict(),
        "data": {"input_range": estimator.input_range_},
        **describe_environment(),
    }
    return export_model(
        estimator.model_,
        estimator.spec_,
        Path(export_dir).expanduser(),
        facts,
        keep=keep,
        examples=_drawn_examples(estimator.spec_),
        litert=litert,
        onnx=onnx,
    )


def _drawn_examples(spec: "DatasetSpec") -> "WarmupExamples":
    """Returns sequences of random numbers in the range of the data, to check an export with.

    They are not taken from the data, so that an export holds none of it.
    """
    from seqclf.serving.warmup import WarmupExamples

    rng = np.random.default_rng(0)
    scale, shift = np.array(spec.scale), np.array(spec.shift)
    spread = np.divide(1, scale, out=np.ones_like(scale), where=scale != 0)
    x = (rng.normal(size=(3, *spec.raw_shape)) * spread + shift).astype(np.float32)
    if not spec.variable_length:
        return WarmupExamples(x)
    lengths = np.array([spec.time_steps, max(1, spec.time_steps // 2), 1], np.int32)
    for row, length in zip(x, lengths, strict=True):
        row[length:] = 0
    return WarmupExamples(x, lengths)

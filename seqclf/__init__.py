"""seqclf: sequence classification with a GRU of our own, from tf.data to TF Serving.

The public names are loaded when they are first used, so that a tool which needs none of TensorFlow
does not wait for it. With those of config, layers, models and data, all layers are registered with
Keras, so that `keras.models.load_model` opens the `model.keras` of any run; the functions of the
path (`fit`, `predict`, …) need no such registration, and import TensorFlow when they are called.

`seqclf.evaluate`, `seqclf.export`, `seqclf.generate` and `seqclf.predict` are functions, and
`seqclf/evaluate.py`, `export.py`, `generate.py` and `predict.py` are the modules of the commands of
these names, for `python -m`. When Python imports a module of a package, it sets the attribute of
that name to the module. The class `_Package` leaves such an attribute alone, so that these names
always are the functions; `from seqclf.predict import main` and
`importlib.import_module("seqclf.predict")` reach the modules.
"""

import importlib
import sys
import types
from typing import TYPE_CHECKING, Any

_WITH_LAYERS = {
    "Config": "seqclf.config",
    "Dataset": "seqclf.data.dataset",
    "GRU": "seqclf.layers",
    "GRUCell": "seqclf.layers",
    "build_classifier": "seqclf.models",
    "default_config": "seqclf.config",
    "load_dataset": "seqclf.data.sources",
}
_WITHOUT_TENSORFLOW = {
    "Predictions": "seqclf.api.prediction",
    "SequenceClassifier": "seqclf.api.estimator.classifier",
    "TrainedRun": "seqclf.api.runs",
    "connect": "seqclf.serving.client",
    "evaluate": "seqclf.api.scoring",
    "export": "seqclf.api.exporting",
    "fit": "seqclf.api.fitting",
    "generate": "seqclf.api.writing",
    "load_run": "seqclf.api.runs",
    "predict": "seqclf.api.prediction",
}
_PUBLIC = _WITH_LAYERS | _WITHOUT_TENSORFLOW

if TYPE_CHECKING:
    __version__: str
    from seqclf.api.estimator.classifier import SequenceClassifier as SequenceClassifier
    from seqclf.api.exporting import export as export
    from seqclf.api.fitting import fit as fit
    from seqclf.api.prediction import Predictions as Predictions
    from seqclf.api.prediction import predict as predict
    from seqclf.api.runs import TrainedRun as TrainedRun
    from seqclf.api.runs import load_run as load_run
    from seqclf.api.scoring import evaluate as evaluate
    from seqclf.api.writing import generate as generate
    from seqclf.config import Config as Config
    from seqclf.config import default_config as default_config
    from seqclf.data.dataset import Dataset as Dataset
    from seqclf.data.sources import load_dataset as load_dataset
    from seqclf.layers import GRU as GRU
    from seqclf.layers import GRUCell as GRUCell
    from seqclf.models import build_classifier as build_classifier
    from seqclf.serving.client import connect as connect

__all__ = [
    "GRU",
    "Config",
    "Dataset",
    "GRUCell",
    "Predictions",
    "SequenceClassifier",
    "TrainedRun",
    "__version__",
    "build_classifier",
    "connect",
    "default_config",
    "evaluate",
    "export",
    "fit",
    "generate",
    "load_dataset",
    "load_run",
    "predict",
]


class _Package(types.ModuleType):
    """The class of this package: a module of a command does not take the place of a function."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _PUBLIC and isinstance(value, types.ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return importlib.import_module("seqclf.version").own_version()
    if name in _WITH_LAYERS:
        from seqclf.console.tensorflow_start import start_quietly

        start_quietly()
        importlib.import_module("seqclf.layers")  # registers them, so that Keras opens our models
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'seqclf' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""seqclf: sequence classification with a GRU of our own, from tf.data to TF Serving.

The public names are loaded when they are first used, so that a tool which needs none of TensorFlow
does not wait for it. With each of them all layers are registered with Keras, so that
`keras.models.load_model` opens the `model.keras` of any run.
"""

import importlib
import sys
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_PUBLIC = {
    "Config": "seqclf.config",
    "GRU": "seqclf.layers",
    "GRUCell": "seqclf.layers",
    "build_classifier": "seqclf.models",
    "default_config": "seqclf.config",
    "load_dataset": "seqclf.data.sources",
}

if TYPE_CHECKING:
    from seqclf.config import Config as Config
    from seqclf.config import default_config as default_config
    from seqclf.data.sources import load_dataset as load_dataset
    from seqclf.layers import GRU as GRU
    from seqclf.layers import GRUCell as GRUCell
    from seqclf.models import build_classifier as build_classifier

__all__ = [
    "GRU",
    "Config",
    "GRUCell",
    "__version__",
    "build_classifier",
    "default_config",
    "load_dataset",
]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        if "tensorflow" not in sys.modules:
            _start_tensorflow()
        importlib.import_module("seqclf.layers")  # registers them, so that Keras opens our models
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'seqclf' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})


def _start_tensorflow() -> None:
    """Imports TensorFlow without the lines that it prints at each start where there is no GPU."""
    from seqclf.console.quiet import quiet_start

    with quiet_start("1"):
        import tensorflow as tf

        tf.config.list_physical_devices()

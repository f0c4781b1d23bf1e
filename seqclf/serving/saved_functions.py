"""`save_functions`: writes signatures as a SavedModel, with the variables that they use."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from seqclf.layers.compiled import compiled

Signatures = Mapping[str, tuple[Any, list[tf.TensorSpec]]]


def save_functions(
    folder: Path,
    signatures: Signatures,
    asset: Path,
    also: Mapping[str, str] | None = None,
    **resources: Any,
) -> None:
    """Writes `saved_model.pb`, `variables/` and `assets/` into a folder.

    Args:
        folder: the folder of the version.
        signatures: name → (function, TensorSpecs of its inputs).
        asset: a file that is copied to `assets/` under its name, and removed where it is.
        also: further names of signatures → the signature that they stand for.
        **resources: what the functions use beside variables, such as a table.
    """
    functions = {
        name: compiled(function, input_signature=inputs).get_concrete_function()
        for name, (function, inputs) in signatures.items()
    }
    functions |= {name: functions[of] for name, of in (also or {}).items()}
    # Of the Keras model only the variables are saved that the functions use.
    module = tf.Module()
    module.model_variables = list(
        {id(v): v for f in functions.values() for v in f.variables}.values()
    )
    for name, resource in resources.items():
        setattr(module, name, resource)
    module.asset = tf.saved_model.Asset(str(asset))
    tf.saved_model.save(module, str(folder), signatures=functions)
    asset.unlink()

"""Finds and loads the library of the native operations."""

import functools
from typing import Any, NamedTuple

import tensorflow as tf

from seqclf.layers.native import compiled


class Library(NamedTuple):
    """The native operations, or the reason why this process has none.

    Attributes:
        operations: the module of the operations, or None.
        instruction_set: the one that its code uses on this machine, such as "AVX2"; "" without it.
        obstacle: why there is none, in words; "" if there is one.
    """

    operations: Any
    instruction_set: str
    obstacle: str


@functools.cache
def load() -> Library:
    """Loads the library, once for each process."""
    file, reason = compiled.find()
    if file is None:
        return Library(None, "", reason)
    try:
        operations = tf.load_op_library(str(file))
        # A library that did not find all that it needs in TensorFlow defines no operations.
        _ = operations.seqclf_gru, operations.seqclf_gru_gradient
        isa = compiled.instruction_set(file)
    except (OSError, tf.errors.OpError, AttributeError) as error:
        return Library(None, "", f"{file.name} could not be loaded: {error}")
    return Library(operations, isa, "")


def instruction_set() -> str:
    """Returns the instruction set that the native code uses, such as "AVX2"; "" without it."""
    return load().instruction_set


def obstacle() -> str:
    """Returns why the native operations cannot be had in this process, or "" if they can."""
    return load().obstacle

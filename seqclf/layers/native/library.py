"""Finds and loads the library of the native operations."""

import ctypes
import functools
import os
from pathlib import Path
from typing import Any, NamedTuple

import tensorflow as tf

PATTERN = "_gru*.so"


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
    if os.environ.get("SEQCLF_NATIVE", "") == "0":
        return Library(None, "", "the environment has SEQCLF_NATIVE=0")
    found = sorted(Path(__file__).parent.glob(PATTERN))
    if not found:
        reason = "it was not built, because there was no C++ compiler when seqclf was installed"
        return Library(None, "", reason)
    try:
        operations = tf.load_op_library(str(found[0]))
        of_library = ctypes.CDLL(str(found[0])).seqclf_native_isa
    except (OSError, tf.errors.OpError, AttributeError) as error:
        return Library(None, "", f"{found[0].name} could not be loaded: {error}")
    of_library.restype = ctypes.c_char_p
    return Library(operations, of_library().decode(), "")


def instruction_set() -> str:
    """Returns the instruction set that the native code uses, such as "AVX2"; "" without it."""
    return load().instruction_set


def obstacle() -> str:
    """Returns why the native operations cannot be had in this process, or "" if they can."""
    return load().obstacle

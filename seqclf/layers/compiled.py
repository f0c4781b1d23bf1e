"""`compiled`: a `tf.function` that is traced as it is written, and counted apart from others."""

import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf


def compiled(function: Callable[..., Any], **options: Any) -> Any:
    """Returns a `tf.function` of its own, for code that is compiled anew for each object.

    The function must use TensorFlow's operations (`tf.cond`, `tf.while_loop`) where what happens
    depends on the value of a tensor: AutoGraph, which makes them of Python's `if` and `while`, is
    off. It would need several seconds at the start of every command to convert code that has none.

    TensorFlow warns of retracing when 5 of the last 10 calls were traced. It counts together the
    calls of all `tf.function`s that were made of the same Python code: of one method of many
    objects, or of one inner function of many calls, each of which must be traced once. A
    `functools.partial` has no code, so that TensorFlow counts its calls by themselves.

    Args:
        function: the Python function that is compiled.
        **options: further arguments of `tf.function`, such as `jit_compile`.

    Example:
        >>> double = compiled(lambda x: 2 * x)
        >>> int(double(tf.constant(3)))
        6
    """
    return tf.function(functools.partial(function), autograph=False, **options)

"""`compiled`: a `tf.function` that is traced as it is written, and counted apart from others.

`compiled_by_shape` makes one for each shape of its arguments.
"""

import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow.python.ops import control_flow_util  # TensorFlow says it under no public name


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


def compiled_by_shape(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """Returns a function that is compiled for each shape of its arguments, as `compiled` does it.

    One `tf.function` for all shapes would do the same, but TensorFlow would warn of retracing where
    the first calls have many shapes.

    Args:
        function: the Python function that is compiled; it takes structures of tensors.
        **options: further arguments of `tf.function`, such as `jit_compile`.
    """
    known: dict[tuple[tuple[int, ...], ...], Any] = {}

    def call(*arguments: Any) -> Any:
        shapes = tuple(tuple(tensor.shape) for tensor in tf.nest.flatten(arguments))
        if shapes not in known:
            known[shapes] = compiled(function, **options)
        return known[shapes](*arguments)

    return call


def xla_around() -> bool:
    """Returns whether what is traced at present is compiled by XLA, with its caller."""
    if tf.executing_eagerly():
        return False
    graph = tf.compat.v1.get_default_graph()
    return bool(control_flow_util.GraphOrParentsInXlaContext(graph))

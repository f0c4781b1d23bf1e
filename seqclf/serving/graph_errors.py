"""`message_of`: the message of an error in a graph, without its place in the graph."""

import re

import tensorflow as tf

PLACE = re.compile(r"\{\{function_node [^}]*\}\}\s*|\s*\[Op:[^\]]*\]$")
NOISE = re.compile(
    r"^(Graph execution error:|Detected at node |<stack traces unavailable>"
    r"|\s*\[\[|\s*File \"|\s*$)"
)


def message_of(error: tf.errors.OpError) -> str:
    """Returns the line of an error message that says what is wrong.

    Example:
        >>> text = "Graph execution error:\\n\\n{{function_node f}} lengths: [0 3] [Op:Assert]"
        >>> message_of(tf.errors.InvalidArgumentError(None, None, text))
        'lengths: [0 3]'
    """
    lines = [line for line in error.message.splitlines() if not NOISE.match(line)]
    return PLACE.sub("", lines[0]).strip() if lines else type(error).__name__

"""The message of an error in a graph, without its place in the graph."""

import re
from typing import Any

PLACE = re.compile(r"\{\{function_node [^}]*\}\}\s*|\s*\[Op:[^\]]*\]$")
NOISE = re.compile(
    r"^(Graph execution error:|Detected at node |<stack traces unavailable>"
    r"|\s*\[\[|\s*File \"|\s*$)"
)


def message_of(error: Any) -> str:
    """Returns the line of a TensorFlow error's message that says what is wrong.

    Args:
        error: an exception of TensorFlow, `tf.errors.OpError`.

    Example:
        >>> text = "Graph execution error:\\n\\n{{function_node f}} lengths: [0 3] [Op:Assert]"
        >>> message_of(tf.errors.InvalidArgumentError(None, None, text))
        'lengths: [0 3]'
    """
    return first_cause(error.message) or type(error).__name__


def first_cause(message: str) -> str:
    """Returns the line of a message that says what is wrong; empty if there is none."""
    lines = [line for line in message.splitlines() if not NOISE.match(line)]
    return PLACE.sub("", lines[0]).strip() if lines else ""

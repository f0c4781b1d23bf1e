"""The start of TensorFlow in a command: announced, without its usual lines, and faster."""

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence

from seqclf.console.progress import announce
from seqclf.console.quiet import quiet_start

# Keras imports these where they are installed, for wrappers and galleries that no command uses:
# a third of the time that `import tensorflow` takes. What needs them later imports them itself.
NOT_NEEDED_BY_KERAS = ("sklearn", "matplotlib")


def start_tensorflow() -> None:
    """Imports TensorFlow and finds its devices."""
    announce("Starting TensorFlow")
    # When a worker is lost, TensorFlow's own messages are many and ours is short.
    with (
        quiet_start("3" if os.environ.get("TF_CONFIG") else "2"),
        hidden_from_import(NOT_NEEDED_BY_KERAS),
    ):
        import tensorflow as tf

        tf.config.list_physical_devices()


def start_quietly() -> None:
    """Imports TensorFlow, if it is not imported yet, without the lines that it prints at its start.

    It is for programs of users: unlike `start_tensorflow` it prints no line of its own, and leaves
    Keras all packages that it imports.
    """
    if "tensorflow" in sys.modules:
        return
    with quiet_start("1"):
        import tensorflow as tf

        tf.config.list_physical_devices()


@contextlib.contextmanager
def hidden_from_import(names: Sequence[str]) -> Iterator[None]:
    """Makes packages look as if they were not installed, inside the block.

    Args:
        names: top-level packages; one that is imported already is not hidden.
    """
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: not importable
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]

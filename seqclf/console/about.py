"""What `seqclf --version` prints. It imports neither TensorFlow nor Keras, which take seconds."""

import runpy
from pathlib import Path

from seqclf.version import own_version, version_of

# The package that this file is in would import Keras.
COMPILED = Path(__file__).parents[1] / "layers" / "native" / "compiled.py"


def about() -> str:
    """Returns the versions of seqclf, TensorFlow and Keras, and the native operations' state."""
    return "\n".join(
        [
            f"seqclf {own_version()}",
            f"TensorFlow {version_of('tensorflow') or 'is not installed'}",
            f"Keras {version_of('keras') or 'is not installed'}",
            f"native operations: {native_operations()}",
        ]
    )


def native_operations() -> str:
    """Returns the instruction set of the native operations, or "none" and why there are none."""
    compiled = runpy.run_path(str(COMPILED))
    file, obstacle = compiled["find"]()
    if file is None:
        return f"none: {obstacle}"
    try:
        name: str = compiled["instruction_set"](file)
    except (OSError, AttributeError) as error:
        return f"none: {file.name} could not be loaded: {error}"
    return name

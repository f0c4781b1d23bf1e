"""The file of the native operations, and what it says of itself; without TensorFlow.

It imports nothing of seqclf, so that `seqclf --version` can run it as a file: the package
`seqclf.layers` imports Keras, which takes seconds.
"""

import ctypes
import importlib.metadata
import os
from pathlib import Path

PATTERN = "_gru*.so"


def find() -> tuple[Path | None, str]:
    """Returns the library's file, or None, and why there is none to load ("" if there is one)."""
    if os.environ.get("SEQCLF_NATIVE", "") == "0":
        return None, "the environment has SEQCLF_NATIVE=0"
    found = sorted(Path(__file__).parent.glob(PATTERN))
    if not found:
        return None, _why_not_built()
    return found[0], ""


def _why_not_built() -> str:
    """Returns why there is no file, and what to do about it."""
    here = Path(__file__).parent
    try:
        seqclf = importlib.metadata.distribution("seqclf")
        installed = Path(str(seqclf.locate_file("seqclf/layers/native")))
    except importlib.metadata.PackageNotFoundError:
        installed = here
    if installed != here and any(installed.glob(PATTERN)):
        return (
            f"it was not built in {here.parents[2]}, from where seqclf is imported, but in "
            f"{installed.parents[2]}: run seqclf from another folder, or install it here with "
            "pip install -e"
        )
    return (
        "it was not built, because there was no C++ compiler when seqclf was installed: install it "
        "again where there is one"
    )


def instruction_set(file: Path) -> str:
    """Returns the instruction set that the library's code uses on this machine, such as "AVX2".

    Args:
        file: the library. Without TensorFlow in the process it defines no operations.

    Raises:
        OSError: the library cannot be loaded.
        AttributeError: it is another one.
    """
    name = ctypes.CDLL(str(file)).seqclf_native_isa
    name.restype = ctypes.c_char_p
    said: bytes = name()
    return said.decode()

"""The file of the native operations, and what it says of itself; without TensorFlow.

It imports nothing of seqclf, so that `seqclf --version` can run it as a file: the package
`seqclf.layers` imports Keras, which takes seconds.
"""

import ctypes
import os
from pathlib import Path

PATTERN = "_gru*.so"


def find() -> tuple[Path | None, str]:
    """Returns the library's file, or None, and why there is none to load ("" if there is one)."""
    if os.environ.get("SEQCLF_NATIVE", "") == "0":
        return None, "the environment has SEQCLF_NATIVE=0"
    found = sorted(Path(__file__).parent.glob(PATTERN))
    if not found:
        return None, "it was not built, because there was no C++ compiler when seqclf was installed"
    return found[0], ""


def instruction_set(file: Path) -> str:
    """Returns the instruction set that the library's code uses on this machine, such as "AVX2".

    Args:
        file: the library. Its operations need TensorFlow, and this function does not: what is not
            there is looked up when it is called, and nothing of TensorFlow is called here.

    Raises:
        OSError: the library cannot be loaded.
    """
    dlopen = ctypes.CDLL(None).dlopen
    dlopen.argtypes, dlopen.restype = (ctypes.c_char_p, ctypes.c_int), ctypes.c_void_p
    handle = dlopen(os.fsencode(file), os.RTLD_LAZY | os.RTLD_LOCAL)
    if not handle:
        reason = ctypes.CDLL(None).dlerror
        reason.restype = ctypes.c_char_p
        raise OSError((reason() or b"no reason is given").decode(errors="replace"))
    name = ctypes.CDLL(str(file), handle=handle).seqclf_native_isa
    name.restype = ctypes.c_char_p
    said: bytes = name()
    return said.decode()

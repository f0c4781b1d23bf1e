"""The GRU's forward and backward pass as two operations in C++, for CPUs.

They compute what `seqclf.layers.bptt` computes, by the same equations, at the rate of the machine's
matrix products and without a compilation at the first call. The sources are in `src/`; `pip
install` compiles them into one library where there is a C++ compiler. It uses TensorFlow's C API
alone, so that it is bound neither to a version of TensorFlow nor to one of Python.
"""

from seqclf.layers.native.gru import gru_states
from seqclf.layers.native.library import instruction_set, obstacle

__all__ = ["gru_states", "instruction_set", "obstacle"]

"""Recurrent layers: sequence maths that knows nothing of data, training or serving.

Four cells, with a = x_t W + b, and h_{t-1} written h; `RecurrentCell` has what they share:

    SimpleRNN   h_t = tanh(a_h + h U_h)
    MGU         f = σ(…)        h̃ = tanh(a_h + (f ⊙ h) U_h)     h_t = (1 - f) ⊙ h + f ⊙ h̃
    GRU         z, r = σ(…)     h̃ = tanh(a_h + r ⊙ (h U_h))     h_t = z ⊙ h + (1 - z) ⊙ h̃
    LSTM        i, f, o = σ(…)  c̃ = tanh(a_c + h U_c)           c_t = f ⊙ c_{t-1} + i ⊙ c̃
                                                                h_t = o ⊙ tanh(c_t)
"""

from seqclf.layers.convolution import ConvolutionBranch
from seqclf.layers.gru import GRU
from seqclf.layers.gru_cell import GRUCell
from seqclf.layers.initializers import ChronoBias
from seqclf.layers.length_mask import LengthMask
from seqclf.layers.lstm import LSTM, LSTMCell
from seqclf.layers.mgu import MGU, MGUCell
from seqclf.layers.one_hot import OneHot
from seqclf.layers.pooling import LastAndMean
from seqclf.layers.recurrent import Recurrent
from seqclf.layers.simple_rnn import SimpleRNN, SimpleRNNCell
from seqclf.layers.time_reduction import TimeReduction
from seqclf.layers.update_gate import convert_update_gate

__all__ = [
    "GRU",
    "LSTM",
    "MGU",
    "ChronoBias",
    "ConvolutionBranch",
    "GRUCell",
    "LSTMCell",
    "LastAndMean",
    "LengthMask",
    "MGUCell",
    "OneHot",
    "Recurrent",
    "SimpleRNN",
    "SimpleRNNCell",
    "TimeReduction",
    "convert_update_gate",
]

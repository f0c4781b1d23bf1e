"""Recurrent layers: pure sequence maths that knows nothing of data, training or serving."""

from seqclf.layers.cells import GRUCell, LSTMCell, MGUCell, SimpleRNNCell
from seqclf.layers.gru import GRU
from seqclf.layers.initializers import ChronoBias
from seqclf.layers.length_mask import LengthMask
from seqclf.layers.pooling import LastAndMean
from seqclf.layers.recurrent import LSTM, MGU, Recurrent, SimpleRNN
from seqclf.layers.time_reduction import TimeReduction
from seqclf.layers.update_gate import convert_update_gate

__all__ = [
    "GRU",
    "LSTM",
    "MGU",
    "ChronoBias",
    "GRUCell",
    "LSTMCell",
    "LastAndMean",
    "LengthMask",
    "MGUCell",
    "Recurrent",
    "SimpleRNN",
    "SimpleRNNCell",
    "TimeReduction",
    "convert_update_gate",
]

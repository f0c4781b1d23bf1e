"""Keras's own tests of recurrent layers, with our classes where they look for Keras's.

Every test of a module runs, and must make one of our cells, unless `LEFT_OUT` says why it doesn't.
"""

import inspect
import types

import keras
import pytest
from keras.src.layers.core import masking_test
from keras.src.layers.rnn import (
    bidirectional_test,
    gru_test,
    lstm_test,
    simple_rnn_test,
    stacked_rnn_cells_test,
)
from keras.src.saving import saving_lib_test

from seqclf import layers as ours
from seqclf.layers.base_cell import RecurrentCell

REPLACED = ("GRU", "LSTM", "SimpleRNN", "GRUCell", "LSTMCell", "SimpleRNNCell")
NO_CLASS_OF_OURS = "uses neither a GRU nor an LSTM nor a SimpleRNN, nor a cell of theirs"
CUSTOM_CELLS = "uses cells that the test defines itself"
KERAS_S_CLASS = "asks whether the layer is an instance of Keras's class, which is private to it"
LEFT_OUT = {
    gru_test: {},
    lstm_test: {},
    simple_rnn_test: {},
    bidirectional_test: {
        "test_fused_gru_eligibility": KERAS_S_CLASS,
        "test_fused_lstm_eligibility": KERAS_S_CLASS,
        "test_torch_cudnn_bidirectional_gru_dispatch_fires": "is for Keras's backend PyTorch",
    },
    stacked_rnn_cells_test: {
        "test_correctness_single_state_stack": CUSTOM_CELLS,
        "test_correctness_two_states_stack": CUSTOM_CELLS,
        "test_statefullness_single_state_stack": CUSTOM_CELLS,
        "test_statefullness_two_states_stack": CUSTOM_CELLS,
    },
    masking_test: {
        "test_masking_basics": NO_CLASS_OF_OURS,
        "test_masking_correctness": NO_CLASS_OF_OURS,
    },
}
# Of saving_lib_test's 100 tests one has a recurrent layer; the others are left out with the reason
# `NO_CLASS_OF_OURS`. Modules that are left out as a whole:
#   rnn_test, dropout_rnn_cell_test, time_distributed_test    CUSTOM_CELLS, or no recurrent layer
#   conv_lstm_test, conv_lstm1d_test, …                       convolutional LSTMs: no class of ours
#   export/onnx_test, openvino_test                           skip their LSTM with TensorFlow
#   export/litert_test                                        its model with an LSTM is never built
ONE_TEST = "test_bidirectional_lstm_saving"


@pytest.fixture
def our_classes(monkeypatch, request):
    """Puts our classes where the tests look for Keras's; each test must have made one of them."""
    module = request.cls.keras_module
    made = []
    original = RecurrentCell.__init__

    def counted(self, *args, **kwargs):
        made.append(self)
        original(self, *args, **kwargs)

    monkeypatch.setattr(RecurrentCell, "__init__", counted)
    replaced = {name: getattr(ours, name) for name in REPLACED}
    if hasattr(module, "layers"):
        layers = types.SimpleNamespace(**(vars(module.layers) | replaced))
        monkeypatch.setattr(module, "layers", layers)
    else:
        layers = types.SimpleNamespace(**(vars(keras.layers) | replaced))
        fake = types.SimpleNamespace(**(vars(keras) | {"layers": layers}))
        monkeypatch.setattr(module, "keras", fake)
    yield
    assert made, "the test made none of our cells: give the reason in LEFT_OUT"


@pytest.fixture
def fast_gru(monkeypatch):
    """Each test must have taken the fast path of our GRU."""
    calls = []
    original = ours.GRU._fast_loop
    monkeypatch.setattr(ours.GRU, "_fast_loop", lambda *a: calls.append(a) or original(*a))
    yield
    assert calls


def names_of_tests(cls):
    return {name for name, _ in inspect.getmembers(cls, callable) if name.startswith("test_")}


def case_of(module):
    """Returns the one class of tests in a module of Keras's."""
    (name,) = [name for name in vars(module) if name.endswith("Test") and name != "TestCase"]
    return getattr(module, name)


def with_ours(module, case, left_out):
    """Returns a class of tests like Keras's, without those that are left out."""
    members = dict.fromkeys(left_out)  # pytest collects what is callable, and None is not
    suite = type(f"Test{case.__name__}", (case,), {**members, "keras_module": module})
    return pytest.mark.usefixtures("our_classes")(suite)


for _module, _left_out in LEFT_OUT.items():
    _suite = with_ours(_module, case_of(_module), _left_out)
    if _module is gru_test:
        _suite = pytest.mark.usefixtures("fast_gru")(_suite)
    globals()[f"Test_{_module.__name__.rpartition('.')[2]}"] = _suite

_case = saving_lib_test.SavingBattleTest
Test_saving_lib_test = with_ours(saving_lib_test, _case, names_of_tests(_case) - {ONE_TEST})
del _case, _suite


@pytest.mark.skipif(
    tuple(map(int, keras.version().split(".")[:2])) != (3, 15), reason="of Keras 3.15's tests"
)
def test_what_is_left_out_exists():
    for module, left_out in LEFT_OUT.items():
        assert left_out.keys() <= names_of_tests(case_of(module))
    assert ONE_TEST in names_of_tests(saving_lib_test.SavingBattleTest)

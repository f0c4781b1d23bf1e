"""Keras's own tests of its recurrent layers, whole, run against our classes in their place."""

import types

import pytest
from keras.src.layers.rnn import gru_test, lstm_test, simple_rnn_test

from seqclf.layers import GRU, LSTM, SimpleRNN


def counting(monkeypatch, module, name, ours, method):
    """Puts our layer where the tests look for Keras's; each test must have run `method` of it."""
    original = getattr(ours, method)
    calls = []

    def counted(self, *args, **kwargs):
        calls.append(self)
        return original(self, *args, **kwargs)

    layers = types.SimpleNamespace(**(vars(module.layers) | {name: ours}))
    monkeypatch.setattr(module, "layers", layers)
    monkeypatch.setattr(ours, method, counted)
    yield
    assert any(isinstance(layer, ours) for layer in calls)


@pytest.fixture
def our_gru(monkeypatch):
    yield from counting(monkeypatch, gru_test, "GRU", GRU, "_fast_loop")


@pytest.fixture
def our_lstm(monkeypatch):
    yield from counting(monkeypatch, lstm_test, "LSTM", LSTM, "read_sequences")


@pytest.fixture
def our_simple_rnn(monkeypatch):
    yield from counting(monkeypatch, simple_rnn_test, "SimpleRNN", SimpleRNN, "read_sequences")


@pytest.mark.usefixtures("our_gru")
class TestKerasGRU(gru_test.GRUTest):
    """Inherits every test of the file."""


@pytest.mark.usefixtures("our_lstm")
class TestKerasLSTM(lstm_test.LSTMTest):
    """Inherits every test of the file."""


@pytest.mark.usefixtures("our_simple_rnn")
class TestKerasSimpleRNN(simple_rnn_test.SimpleRNNTest):
    """Inherits every test of the file."""


@pytest.mark.parametrize(
    ("module", "name"),
    [(gru_test, "GRUTest"), (lstm_test, "LSTMTest"), (simple_rnn_test, "SimpleRNNTest")],
)
def test_the_files_have_no_other_test_class(module, name):
    assert [each for each in vars(module) if each.endswith("Test")] == [name]

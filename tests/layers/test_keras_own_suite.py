"""Keras's own `gru_test.py`, whole, run against our class in the place of its own."""

import types

import pytest
from keras.src.layers.rnn import gru_test

from seqclf import GRU


@pytest.fixture
def our_gru(monkeypatch):
    """Puts our layer where the tests look for Keras's; each test must have run its fast path."""
    fast_loop = GRU._fast_loop
    calls = 0

    def counted(self, *args, **kwargs):
        nonlocal calls
        calls += 1
        return fast_loop(self, *args, **kwargs)

    layers = types.SimpleNamespace(**(vars(gru_test.layers) | {"GRU": GRU}))
    monkeypatch.setattr(gru_test, "layers", layers)
    monkeypatch.setattr(GRU, "_fast_loop", counted)
    yield
    assert calls > 0


@pytest.mark.usefixtures("our_gru")
class TestKerasGRU(gru_test.GRUTest):
    """Inherits every test of the file."""


def test_the_file_has_no_other_test_class():
    names = [name for name in vars(gru_test) if name.endswith("Test")]
    assert names == ["GRUTest"]

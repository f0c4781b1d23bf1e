"""Keras's own `gru_test.py`, whole, run against our class in the place of its own."""

import types

import pytest
from keras.src.layers.rnn import gru_test

from seqclf import GRU

calls = 0


@pytest.fixture(autouse=True)
def our_gru(monkeypatch):
    """Puts our layer where the tests look for Keras's, and counts its calls."""
    inner_loop = GRU.inner_loop

    def counted(self, *args, **kwargs):
        global calls
        calls += 1
        return inner_loop(self, *args, **kwargs)

    layers = types.SimpleNamespace(**(vars(gru_test.layers) | {"GRU": GRU}))
    monkeypatch.setattr(gru_test, "layers", layers)
    monkeypatch.setattr(GRU, "inner_loop", counted)


class TestKerasGRU(gru_test.GRUTest):
    """Inherits every test of the file."""


def test_it_was_our_layer_that_ran():
    assert calls >= 25

"""Keras's own `gru_test.py`, whole, run against our class in the place of its own."""

import types

import pytest
from keras.src.layers.rnn import gru_test

from seqclf import GRU

calls = 0


class CountingGRU(GRU):
    """Our layer, counting its calls, to prove that it is what ran."""

    def inner_loop(self, *args, **kwargs):
        global calls
        calls += 1
        return super().inner_loop(*args, **kwargs)


@pytest.fixture(autouse=True)
def our_gru(monkeypatch):
    layers = types.SimpleNamespace(**(vars(gru_test.layers) | {"GRU": CountingGRU}))
    monkeypatch.setattr(gru_test, "layers", layers)


class TestKerasGRU(gru_test.GRUTest):
    """Inherits every test of the file."""


def test_it_was_our_layer_that_ran():
    assert calls >= 25

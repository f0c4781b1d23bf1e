"""Keras's own tests of Bidirectional and StackedRNNCells that use a GRU, run against ours."""

import types

import pytest
from keras.src.layers.rnn import bidirectional_test, stacked_rnn_cells_test

from seqclf import GRU, GRUCell


@pytest.fixture
def our_classes(monkeypatch):
    """Puts our classes where the tests look for Keras's; each test must have run one of them."""
    calls = 0

    def counted(function):
        def call(*args, **kwargs):
            nonlocal calls
            calls += 1
            return function(*args, **kwargs)

        return call

    monkeypatch.setattr(GRUCell, "call", counted(GRUCell.call))
    monkeypatch.setattr(GRU, "_fast_loop", counted(GRU._fast_loop))
    for module in (bidirectional_test, stacked_rnn_cells_test):
        names = vars(module.layers) | {"GRU": GRU, "GRUCell": GRUCell}
        monkeypatch.setattr(module, "layers", types.SimpleNamespace(**names))
    yield
    assert calls > 0


@pytest.mark.usefixtures("our_classes")
class TestBidirectional(bidirectional_test.SimpleRNNTest):
    """Its tests of a GRU; the others are of other layers, or of cuDNN, which ours refuses."""


@pytest.mark.usefixtures("our_classes")
class TestStackedRNNCells(stacked_rnn_cells_test.StackedRNNTest):
    """Its test of stacked GRU cells: one of six calls of run_layer_test in test_basics."""

    def run_layer_test(self, layer_class, init_kwargs, **kwargs):
        if any(isinstance(cell, GRUCell) for cell in init_kwargs["cell"]):
            super().run_layer_test(layer_class, init_kwargs, **kwargs)


def _hide(cls, kept):
    for name in dir(cls):
        if name.startswith("test_") and name not in kept:
            setattr(cls, name, None)  # pytest collects what is callable


_hide(TestBidirectional, {"test_correctness", "test_masking", "test_fused_gru_matches_unfused"})
_hide(TestStackedRNNCells, {"test_basics"})

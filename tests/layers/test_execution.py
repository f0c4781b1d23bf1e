"""Which path a layer takes, how it is run, and that it says so."""

import logging

import numpy as np
import pytest
import tensorflow as tf

from seqclf import GRU
from seqclf.layers import execution as module
from seqclf.layers import native
from seqclf.layers.batch_shares import split_batch
from seqclf.layers.execution import Execution, choose, execution, suggested_shares

X = np.zeros((8, 5, 3), "float32")
NATIVE = "" if native.obstacle() else "native, batch in 2 parts"
CALL = {"steps": 5, "batch": 8, "training": True, "unroll": False, "gpu": False, "cudnn": False}


@pytest.fixture
def four_cores(monkeypatch):
    monkeypatch.setattr(module, "cores", lambda: 4)


@pytest.mark.usefixtures("four_cores")
@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ({}, Execution("layer", False, 2, False)),
        ({"batch": 100}, Execution("layer", False, 4, False)),
        ({"batch": 1}, Execution("layer", False, 1, False)),
        ({"batch": None}, Execution("layer", False, 1, False)),
        ({"training": False}, Execution("off", False, 1, False)),
        ({"unroll": True}, Execution("layer", True, 2, False)),
        ({"gpu": True}, Execution("off", False, 1, False)),
        ({"gpu": True, "cudnn": True}, Execution("off", False, 1, True)),
        ({"gpu": True, "cudnn": True, "training": False}, Execution("off", False, 1, True)),
        ({"native": True}, Execution(native=True, shares=2)),
        ({"native": True, "training": False}, Execution(native=True, shares=2)),
        ({"native": True, "batch": None}, Execution(native=True, shares=4)),
        ({"native": True, "unroll": True}, Execution("layer", True, 2)),
    ],
)
def test_what_is_chosen(call, expected):
    assert choose(**CALL | call) == expected


@pytest.mark.usefixtures("four_cores")
def test_the_choice_can_be_overridden():
    with execution(xla="caller", shares=3, unroll=True):
        assert choose(**CALL) == Execution("caller", True, 3, False)
        assert choose(**CALL | {"steps": None}) == Execution("caller", False, 3, False)
        assert choose(**CALL | {"batch": 2}).shares == 1
        with execution(xla="off"):
            assert choose(**CALL) == Execution("off", False, 1, False)
    with execution(cudnn=False):
        assert not choose(**CALL | {"gpu": True, "cudnn": True}).cudnn
    assert choose(**CALL) == Execution("layer", False, 2, False)
    able = CALL | {"native": True}
    with execution(native=False):
        assert not choose(**able).native
    with execution(xla="off"):
        assert not choose(**able).native
    with execution(native=True, xla="off", shares=3, gradient=False):
        assert choose(**able) == Execution(native=True, shares=3, gradient=False)
        assert choose(**CALL) == Execution("off", False, 3, gradient=False)


def test_what_is_traced_for_inference_does_without_the_native_operations():
    @tf.function
    def chosen(training):
        return choose(**CALL | {"native": True, "training": training}).native

    assert not chosen(False) and chosen(True)


def test_an_override_that_makes_no_sense_is_refused():
    with (
        pytest.raises(ValueError, match=r"`xla` must be .* Received: xla='yes'"),
        execution(xla="yes"),
    ):
        pass
    with pytest.raises(ValueError, match="`shares` must be at least 1. Received: shares=0"):
        execution(shares=0).__enter__()


def test_there_is_a_share_for_each_core_that_this_process_may_use(monkeypatch):
    monkeypatch.setattr(module.os, "sched_getaffinity", lambda _: {0, 5, 7}, raising=False)
    assert [suggested_shares(batch) for batch in (1, 3, 8, 11, 12, 500)] == [1, 1, 2, 2, 3, 3]
    monkeypatch.setattr(module.tf.config.threading, "get_intra_op_parallelism_threads", lambda: 2)
    assert suggested_shares(500) == 2


@pytest.mark.parametrize(
    ("arguments", "training", "path"),
    [
        ({}, False, NATIVE or "bptt: while loop, no XLA"),
        ({}, True, NATIVE or "bptt: while loop, XLA, batch in 2 parts"),
        ({"dtype": "float64"}, True, "bptt: while loop, XLA, batch in 2 parts"),
        ({"unroll": True}, False, "bptt: unrolled, no XLA"),
        ({"recurrent_dropout": 0.5}, False, "bptt: while loop, no XLA"),
        ({"recurrent_dropout": 0.5}, True, "general: the cell, step by step (recurrent_dropout)"),
        ({"activation": "relu"}, False, "general: the cell, step by step (activation is not tanh)"),
        (
            {"recurrent_activation": "hard_sigmoid"},
            False,
            "general: the cell, step by step (recurrent_activation is not sigmoid)",
        ),
        ({"fast": False}, True, "general: the cell, step by step (fast=False)"),
    ],
)
@pytest.mark.usefixtures("four_cores")
def test_the_layer_says_which_path_it_took(arguments, training, path, caplog):
    layer = GRU(4, name="reader", **arguments)
    assert layer.path is None
    with caplog.at_level(logging.DEBUG, logger="seqclf.layers.gru"):
        layer(X, training=training)
    assert layer.path == path
    assert f"reader takes the path {path}" in caplog.messages


def test_fast_false_is_kept_by_a_saved_config():
    assert GRU.from_config(GRU(4, fast=False).get_config()).fast is False
    assert "fast" not in GRU(4).get_config()


@pytest.mark.parametrize("shares", [1, 2, 3, 7])
def test_shares_are_the_batch_cut_in_order(shares):
    batch = {"x": tf.reshape(tf.range(14), [7, 2]), "y": (tf.range(7),)}
    parts = split_batch(batch, shares)
    sizes = [part["x"].shape[0] for part in parts]
    assert len(parts) == shares and max(sizes) - min(sizes) <= 1
    np.testing.assert_array_equal(tf.concat([part["x"] for part in parts], 0), batch["x"])
    np.testing.assert_array_equal(tf.concat([part["y"][0] for part in parts], 0), np.arange(7))

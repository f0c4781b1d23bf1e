"""TensorFlow's warning of functions that are traced again and again does not appear."""

import logging

import numpy as np
import pytest
import tensorflow as tf

from seqclf import GRU
from seqclf.layers.execution import execution


@pytest.mark.parametrize("training", [False, True])
def test_many_shapes_in_eager_mode_cause_no_warning(training, caplog):
    layer = GRU(3)
    # Without XLA: compiling 16 programs takes 40 s, and they are traced in the same way.
    with caplog.at_level(logging.WARNING, logger="tensorflow"), execution(xla="off"):
        for shape in range(1, 9):
            x = np.ones((shape, 2, 4), "float32")
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(layer(x, training=training))
            tape.gradient(loss, layer.trainable_variables[0].value)
    assert layer.path.startswith("bptt")
    assert not caplog.messages


def test_many_layers_on_one_shape_cause_no_warning(caplog):
    x = np.ones((2, 3, 4), "float32")
    with caplog.at_level(logging.WARNING, logger="tensorflow"):
        for units in range(1, 9):
            GRU(units)(x)
    assert not caplog.messages

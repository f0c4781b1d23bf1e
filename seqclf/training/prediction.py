"""The compiled prediction of logits, for scoring."""

import functools
from collections.abc import Callable

import keras
import tensorflow as tf

from seqclf.data.pipeline import Inputs
from seqclf.layers.batch_shares import split_batch
from seqclf.layers.compiled import compiled
from seqclf.layers.execution import execution, suggested_shares
from seqclf.training.native import predicts_natively


def make_prediction_step(
    model: keras.Model, jit_compile: bool, native: bool = True
) -> Callable[[Inputs], tf.Tensor]:
    """Returns a function of `inputs` (see `training_batches`) that gives logits, `[B, C]`.

    Args:
        model: gives logits.
        jit_compile: whether XLA compiles the function; it pays from some twenty batches of one
            size on.
        native: whether recurrent layers take the native operations where they can. XLA has nothing
            to compile then.
    """
    native = native and predicts_natively(model)
    if native or not jit_compile or tf.config.get_visible_devices("GPU"):
        specs = {i.name: tf.TensorSpec(i.shape, i.dtype) for i in model.inputs}
        signature = specs if len(specs) > 1 else next(iter(specs.values()))

        def logits(inputs: Inputs) -> tf.Tensor:
            with execution(native=native, gradient=False):
                return model(inputs, training=False)

        plain: Callable[[Inputs], tf.Tensor] = compiled(logits, input_signature=[signature])
        return plain

    def share_logits(inputs: Inputs) -> tf.Tensor:
        with execution(xla="caller", shares=1, gradient=False):
            return model(inputs, training=False)

    def joined_logits(inputs: Inputs, shares: int) -> tf.Tensor:
        return tf.concat([compiled_share(share) for share in split_batch(inputs, shares)], axis=0)

    compiled_share = compiled(share_logits, jit_compile=True)
    compiled_shares = compiled(joined_logits)
    shares_of = functools.cache(suggested_shares)

    def predict(inputs: Inputs) -> tf.Tensor:
        shares = shares_of(tf.nest.flatten(inputs)[0].shape[0])
        return compiled_share(inputs) if shares == 1 else compiled_shares(inputs, shares)

    return predict

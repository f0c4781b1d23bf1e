"""`divide_logits`: a classifier whose logits are divided by a temperature."""

import keras


def divide_logits(model: keras.Model, temperature: float) -> None:
    """Divides the weights of the head by a temperature, and with them the logits.

    The most probable class stays the same; the probabilities are nearer to each other if the
    temperature is above 1 (Guo et al. 2017, arXiv:1706.04599).

    Args:
        model: a classifier of `build_classifier`; it is changed.
        temperature: a number above 0.
    """
    head = model.get_layer("logits")
    head.set_weights([weights / temperature for weights in head.get_weights()])

"""A config in words."""

from seqclf.config import resolve
from seqclf.config.wording import batch_in_words, distortions_in_words, model_in_words


def test_the_defaults_are_short():
    config = resolve({})
    assert model_in_words(config) == "GRU [128, 128]"
    assert batch_in_words(config) == "128"
    assert distortions_in_words(config) == ""


def test_all_that_was_asked_for_is_named():
    model = {
        "units": [64, 32],
        "bidirectional": True,
        "pooling": "mean",
        "conv": [16, 8],
        "conv_dilation": 2,
        "conv_pooling": "max",
        "layer_norm": True,
        "dropout": 0.2,
        "chrono": 784,
        "reset_after": False,
    }
    config = resolve(
        {
            "model": model,
            "augment": {"shift": 0.07, "flip": True},
            "batch_size": 64,
            "batch_selection": 4,
        }
    )
    assert model_in_words(config) == (
        "bidirectional GRU [64, 32], reset gate before the product, mean of the states beside the "
        "last, convolutions [16, 8] dilated by 2 with the largest values, layer normalisation, "
        "dropout 0.2, chrono initialisation to 784 steps"
    )
    assert batch_in_words(config) == "the 64 hardest of 256"
    assert distortions_in_words(config) == "flip, shift 0.07"


def test_a_time_reduction_is_named_where_there_is_one():
    for reduction, words in (([2], "GRU [8, 8], time reduction [2]"), ([1], "GRU [8, 8]")):
        config = resolve({"model": {"units": [8, 8], "time_reduction": reduction}})
        assert model_in_words(config) == words

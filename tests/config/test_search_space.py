"""The search space: what a recipe may declare, what it becomes, what is refused."""

import keras_tuner
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqclf.config import default_config, resolve
from seqclf.config.search_space import Choice, Range, SearchSpace
from seqclf.errors import ConfigError

DECLARED = {
    "optimizer.learning_rate": Range(1e-3, 2e-2, log=True),
    "optimizer.name": Choice("adam", "adamw"),
    "optimizer.weight_decay": Range(1e-3, 0.3, log=True, when={"optimizer.name": "adamw"}),
    "model.units": Choice([64, 64], [128], [32]),
    "model.dropout": Range(0, 0.5, step=0.1, when={"model.units": [[64, 64], [128]]}),
    "batch_size": Range(32, 256, log=True, step=2),
    "model.bidirectional": Choice(False, True, when={"optimizer.name": ["adam"]}),
    "validate_every": Range(10, 30),
}


def drawn(space, seed):
    """Returns the values of a trial of Keras Tuner's own random search."""
    hp = keras_tuner.HyperParameters()
    space.declare(hp)
    oracle = keras_tuner.oracles.RandomSearchOracle(
        objective=keras_tuner.Objective("x", "max"), hyperparameters=hp, seed=seed + 1
    )
    hp.values = oracle.populate_space("0")["values"]
    return space.declare(hp)


@given(st.integers(0, 10**6))
def test_every_trial_lies_in_the_space_and_is_a_config(seed):
    space = SearchSpace(default_config(), DECLARED)
    values = drawn(space, seed)
    config = space.apply(values)
    assert 1e-3 <= values["optimizer.learning_rate"] <= 2e-2
    assert config.optimizer.learning_rate == values["optimizer.learning_rate"]
    assert config.model.units in ((64, 64), (128,), (32,))
    assert values["batch_size"] in (32, 64, 128, 256)
    assert ("optimizer.weight_decay" in values) == (config.optimizer.name == "adamw")
    assert (config.optimizer.weight_decay == 0) == (config.optimizer.name == "adam")
    assert ("model.dropout" in values) == (config.model.units != (32,))
    assert values.get("model.dropout", 0.2) in (0, 0.1, 0.2, 0.3, 0.4, 0.5)
    assert ("model.bidirectional" in values) == (config.optimizer.name == "adam")
    assert config.model.bidirectional in (False, True)
    assert 10 <= values["validate_every"] <= 30
    assert config.seed == 0 and config.data.source == "mnist"  # the rest is the recipe's


def test_the_first_values_are_the_recipes_where_they_are_in_the_space():
    config = default_config()
    config.batch_size, config.optimizer.learning_rate = 64, 0.5
    values = SearchSpace(config, DECLARED).declare(keras_tuner.HyperParameters())
    assert values["batch_size"] == 64
    assert values["optimizer.learning_rate"] == 1e-3  # 0.5 is not in it
    assert values["model.units"] == (64, 64)


def test_it_goes_through_keras_tuners_wire_format():
    space = SearchSpace(default_config(), DECLARED)
    hp = keras_tuner.HyperParameters()
    space.declare(hp)
    again = keras_tuner.HyperParameters.from_proto(hp.to_proto())
    assert space.declare(again) == space.declare(hp)


def test_keys_can_be_taken_out_with_what_depends_on_them():
    space = SearchSpace(default_config(), DECLARED).without(["optimizer.name", "batch_size"])
    assert set(space.declared) == {
        *("optimizer.learning_rate", "model.units", "model.dropout", "validate_every")
    }
    with pytest.raises(ConfigError, match="Every key of the search space is given"):
        space.without(list(space.declared))


def test_it_is_described_in_words():
    words = SearchSpace(default_config(), DECLARED).in_words()
    assert words["optimizer.learning_rate"] == "0.001 to 0.02, logarithmic"
    assert words["batch_size"] == "32 to 256, logarithmic, factor 2"
    assert words["model.units"] == "[64, 64] | [128] | [32]"
    assert words["model.dropout"] == "0 to 0.5, step 0.1, when model.units is [64, 64] or [128]"


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({}, r"must return a dictionary of Choice and Range"),
        ([1], r"must return a dictionary of Choice and Range by config key. Received: \[1\]"),
        ({"modle.units": Choice(1, 2)}, "Unknown config key `modle.units`. Did you mean"),
        ({"seed": Choice(1, 2)}, "`seed` is the same for all trials"),
        ({"data.source": Choice("digits", "mnist")}, "`data.source` is the same for all trials"),
        ({"batch_size": [32, 64]}, r"must be a Choice or a Range. Received: \[32, 64\]"),
        ({"batch_size": Choice(32)}, r"two or more values, all different. Received: \(32,\)"),
        ({"batch_size": Choice(32, 32)}, "two or more values, all different"),
        ({"batch_size": Choice(32, 0)}, "`batch_size` must be at least 1. Received: 0"),
        ({"optimizer.name": Choice("adam", "adamx")}, "must be one of .* Received: 'adamx'"),
        ({"batch_size": Range(8, 3)}, "low is below its high. Received: low=8, high=3"),
        ({"batch_size": Range(8, 9.5)}, "`batch_size` must be an integer. Received: 9.5"),
        ({"batch_size": Range(8, 64, step=0.5)}, "step of `batch_size` must be an integer"),
        ({"batch_size": Range(8, 64, step=-8)}, "step of `batch_size` must be greater than 0"),
        ({"batch_size": Range(8, 64, log=True, step=1)}, "must be greater than 1. Received: 1"),
        ({"model.dropout": Range(0, 0.5, log=True)}, "must start above 0. Received: 0.0"),
        ({"model.dropout": Range(0, 1.0)}, "`model.dropout` must be less than 1"),
        ({"model.units": Range(1, 2)}, "needs a Choice, not a Range"),
        ({"optimizer.weight_decay": Range(0.1, 0.2)}, "needs `optimizer.name` 'adamw'"),
        ({"batch_size": Range(8, 64, step=float("nan"))}, "must be greater than 0. Received: nan"),
        ({"batch_size": Range(8, 64, step=80)}, "leaves no value but 8. Received: 80"),
        ({"batch_size": Range(8, 64, step=float("inf"))}, "leaves no value but 8"),
        ({"model.dropout": Range(0, 0.5, step=10**400)}, "leaves no value but 0.0"),
        ({"batch_size": Range(8, 10**400)}, "`batch_size` must not need more than 63 bits"),
        ({"batch_size": Range(8, 64, log="no")}, "must be True or False. Received: 'no'"),
        ({5: Choice(1, 2)}, "Unknown config key `5`"),
        (
            {
                "model.units": Choice([8], [4]),
                "batch_size": Choice(1, 2, when={"model.units": 8}),
            },
            "`model.units` must be a list of integers. Received: 8",
        ),
        (
            {
                "optimizer.name": Choice("adam", "adamw"),
                "batch_size": Choice(1, 2, when={"optimizer.name": []}),
            },
            "depends on `optimizer.name` being nothing at all",
        ),
        (
            {"batch_size": Choice(1, 2, when={"model.units": [64]})},
            "depends on `model.units`, which must be a Choice that stands before it",
        ),
        (
            {
                "optimizer.name": Choice("adam", "adamw"),
                "batch_size": Choice(1, 2, when={"optimizer.name": "sgd"}),
            },
            "depends on `optimizer.name` being 'sgd', which is none of its choices",
        ),
    ],
)
def test_mistakes_are_named(declared, message):
    with pytest.raises(ConfigError, match=message):
        SearchSpace(resolve(default_config()), declared)

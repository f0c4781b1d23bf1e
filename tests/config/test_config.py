"""The config: defaults, checks and their messages, JSON."""

import dataclasses
import importlib.util
from pathlib import Path

import ml_collections
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqclf.config import (
    SCHEMA,
    AugmentConfig,
    Config,
    DataConfig,
    ModelConfig,
    OptimizerConfig,
    default_config,
    differences,
    flatten,
    from_json,
    nest,
    resolve,
    to_json,
)
from seqclf.errors import ConfigError

RECIPES = sorted((Path(__file__).parents[2] / "configs").glob("*.py"))


def test_defaults_are_valid_and_complete():
    assert flatten(resolve({})).keys() == SCHEMA.keys()
    assert resolve(default_config()) == resolve({})


def test_every_key_is_documented():
    assert all(known.doc for known in SCHEMA.values())


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_recipes_are_valid_and_named_after_their_file(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert resolve(module.get_config()).name == path.stem


def test_a_config_is_made_of_its_groups():
    config = Config(model=ModelConfig(units=[3]), optimizer=OptimizerConfig(learning_rate=1))
    assert config.model.units == (3,) and config.optimizer.learning_rate == 1.0
    assert isinstance(config.optimizer.learning_rate, float)
    assert config == resolve({"model": {"units": [3]}, "optimizer": {"learning_rate": 1}})
    assert resolve(config) is config
    assert Config() == resolve({}) and hash(Config()) == hash(resolve({}))


def test_a_config_does_not_change():
    config = Config()
    for group, name in ((config, "steps"), (config.model, "units")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(group, name, 3)
    with pytest.raises(AttributeError):
        config.optimzer  # noqa: B018
    other = config.changed({"model.units": [5], "seed": 1})
    assert (other.model.units, other.seed, config.model.units) == ((5,), 1, (128, 128))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ModelConfig(units=(0,)), "`model.units` must be a list of integers from 1 up"),
        (lambda: ModelConfig(cell="lstn"), "Received: 'lstn'. Did you mean 'lstm'?"),
        (lambda: DataConfig(image_size=(3,)), "`data.image_size` must be () or (height, width)"),
        (lambda: AugmentConfig(flip=1), "`augment.flip` must be True or False. Received: 1"),
        (lambda: OptimizerConfig(momentum=1), "`optimizer.momentum` must be less than 1"),
        (lambda: Config(model={"units": [3]}), "`model` must be a ModelConfig. Received: {'units'"),
        (lambda: Config(steps=0), "The training needs a length"),
        (lambda: Config().changed({"model.dropout": 1}), "`model.dropout` must be less than 1"),
        (lambda: dataclasses.replace(Config(), steps=-1), "`steps` must be at least 0"),
    ],
)
def test_a_config_that_is_not_allowed_cannot_be_made(make, message):
    with pytest.raises(ConfigError) as caught:
        make()
    assert message in str(caught.value)


def test_json_brings_back_the_same_config():
    config = resolve({"model": {"units": [100, 50]}, "epochs": 2.5, "steps": 0, "seed": 7})
    assert from_json(to_json(config)) == config
    assert differences(config.to_dict(), from_json(to_json(config)).to_dict()) == []


def test_steps_win_over_epochs_and_say_so():
    assert resolve({"steps": 10, "epochs": 3}).epochs == 0
    assert resolve({"steps": 0, "epochs": 3}).epochs == 3.0


def test_epochs_that_alone_are_given_are_the_length():
    assert resolve({"epochs": 3}).steps == 0
    assert Config(steps=50).changed({"epochs": 3.0}).steps == 0
    assert Config(steps=50).changed({"epochs": 3.0, "steps": 7}).steps == 7
    assert Config(steps=50).changed({"epochs": 0.0, "seed": 1}).steps == 50


def test_differences_name_key_old_and_new():
    old, new = resolve({}).to_dict(), resolve({"model": {"units": [5]}, "seed": 3}).to_dict()
    assert differences(old, new) == ["model.units: [128, 128] -> [5]", "seed: 0 -> 3"]


@pytest.mark.parametrize(
    "config, message",
    [
        ({"model": {"unit": [3]}}, "Unknown config key `model.unit`. Did you mean `model.units`?"),
        ({"units": [3]}, "Unknown config key `units`. Did you mean `model.units`?"),
        ({"optimiser": {"learning_rate": 1}}, "Did you mean `optimizer.learning_rate`?"),
        ({"model": {"units": "100"}}, "`model.units` must be a list of integers"),
        (
            {"model": {"units": [8, 8], "time_reduction": [2, 2]}},
            "one number for each layer but the last: 1 for 2 layers. Received: [2, 2]",
        ),
        (
            {"model": {"units": [8, 8], "time_reduction": [2], "bidirectional": True}},
            "set `model.bidirectional` to False, or `model.time_reduction` to (). Received: [2]",
        ),
        (
            {"model": {"units": [8, 8], "time_reduction": [2**31]}},
            "`model.time_reduction` must be a list of integers from 1 to 1e+06",
        ),
        (
            {"model": {"conv": [8, 0]}},
            "`model.conv` must be a list of integers from 1 up",
        ),
        (
            {"model": {"conv_dilation": 2}},
            "the convolutions of `model.conv`, and there are none: set it to 1. Received: 2",
        ),
        (
            {"model": {"conv_pooling": "max"}},
            "convolutions of `model.conv`, and there are none: set it to 'mean'. Received: 'max'",
        ),
        ({"model": {"conv": 8}}, "`model.conv` must be a list of integers. Received: 8"),
        ({"model": {"chrono": 10**7}}, "`model.chrono` must be at most 1e+06"),
        ({"model": {"chrono": 10**39}}, "`model.chrono` must not need more than 63 bits"),
        ({"model": {"chrono": 2}}, "`model.chrono` must be 0 (off) or more than 2 steps"),
        ({"augment": {"shift": 0.6}}, "`augment.shift` must be at most 0.5. Received: 0.6"),
        ({"batch_selection": 0}, "`batch_selection` must be at least 1. Received: 0"),
        ({"model": {"units": []}}, "`model.units` must name at least one layer"),
        ({"model": {"units": [64, 0]}}, "`model.units` must be a list of integers from 1 up"),
        ({"model": {"dropout": 1.0}}, "`model.dropout` must be less than 1. Received: 1.0"),
        ({"batch_size": 2.5}, "`batch_size` must be an integer. Received: 2.5 (of type float)"),
        ({"batch_size": True}, "`batch_size` must be an integer. Received: True"),
        ({"batch_size": 0}, "`batch_size` must be at least 1. Received: 0"),
        ({"jit_compile": 1}, "`jit_compile` must be True or False. Received: 1"),
        ({"name": "a/b"}, "`name` becomes a folder name"),
        ({"optimizer": {"learning_rate": float("nan")}}, "must be greater than 0. Received: nan"),
        ({"optimizer": {"learning_rate": float("inf")}}, "must be finite. Received: inf"),
        ({"optimizer": {"name": "adm"}}, "Received: 'adm'. Did you mean 'adam'?"),
        ({"optimizer": {"weight_decay": 0.1}}, "`optimizer.weight_decay` needs `optimizer.name`"),
        ({"optimizer": {"final_learning_rate": 1.0}}, "must not exceed `optimizer.learning_rate`"),
        ({"data": {"reading": "diagonals"}}, "`data.reading` must be one of 'rows', 'columns'"),
        ({"data": {"validation": 0.9}}, "`data.validation` must be at most 0.5. Received: 0.9"),
        ({"data": {"image_size": [32]}}, "`data.image_size` must be () or (height, width)"),
        ({"steps": 0, "epochs": 0.0}, "The training needs a length"),
    ],
)
def test_mistakes_are_named(config, message):
    with pytest.raises(ConfigError) as caught:
        resolve(config)
    assert message in str(caught.value)
    assert caught.value.exit_status == 2


@given(st.dictionaries(st.sampled_from(sorted(SCHEMA)), st.none() | st.integers() | st.text()))
def test_a_config_is_resolved_or_refused_never_half_taken(flat):
    config = ml_collections.ConfigDict()
    for key, value in flat.items():
        group, _, leaf = key.rpartition(".")
        if group and group not in config:
            config[group] = ml_collections.ConfigDict()
        (config[group] if group else config)[leaf] = value
    try:
        resolved = flatten(resolve(config))
    except ConfigError:
        return
    assert all(resolved[key] == value for key, value in flat.items() if key != "epochs")


@pytest.mark.parametrize("text", ["", "[]", "{", '{"unknown": 1}'])
def test_json_that_is_no_config_is_refused(text):
    with pytest.raises(ConfigError):
        from_json(text)


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a": ' * 100_000, '{"steps": 1' + "0" * 5000 + "}"]
)
def test_json_beyond_the_limits_of_the_parser_is_refused(text):
    with pytest.raises(ConfigError, match="The config is not valid JSON"):
        from_json(text)


def test_a_key_that_is_no_string_is_unknown():
    with pytest.raises(ConfigError, match="Unknown config key `3`"):
        resolve({3: 4})


@pytest.mark.parametrize("number", [2**63, -(2**63), 10**400, 10**5000], ids=range(4))
@pytest.mark.parametrize("key", ["steps", "optimizer.learning_rate", "model.units"])
def test_integers_of_more_than_63_bits_are_refused(key, number):
    value = [number] if key == "model.units" else number
    with pytest.raises(ConfigError, match=f"`{key}` must not need more than 63 bits"):
        resolve(nest({key: value}))

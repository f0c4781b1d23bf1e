"""Signatures and docstrings name every argument, as an editor shows them."""

import inspect
import re

import keras
import pytest

from seqclf import layers

CLASSES = [
    *(layers.GRU, layers.LSTM, layers.MGU, layers.SimpleRNN),
    *(layers.GRUCell, layers.LSTMCell, layers.MGUCell, layers.SimpleRNNCell),
]
OURS = {  # arguments that Keras's class has not, and their defaults
    layers.GRU: {"fast": True, "update_gate": "keep"},
    layers.GRUCell: {"update_gate": "keep"},
}
OF_GRU_ALONE = {"reset_after", "use_cudnn", "fast", "update_gate"}


def listed(cls):
    """Returns the arguments of a class with their defaults, in their order."""
    parameters = inspect.signature(cls).parameters.values()
    return {each.name: each.default for each in parameters if each.kind is not each.VAR_KEYWORD}


@pytest.mark.parametrize("cls", [cls for cls in CLASSES if "MGU" not in cls.__name__])
def test_arguments_defaults_and_order_are_those_of_keras(cls):
    theirs = listed(getattr(keras.layers, cls.__name__))
    assert list(listed(cls).items()) == [*theirs.items(), *OURS.get(cls, {}).items()]


@pytest.mark.parametrize(
    ("mgu", "gru"), [(layers.MGU, layers.GRU), (layers.MGUCell, layers.GRUCell)]
)
def test_those_of_the_mgu_are_those_of_the_gru(mgu, gru):
    shared = {name: value for name, value in listed(gru).items() if name not in OF_GRU_ALONE}
    assert list(listed(mgu).items()) == list(shared.items())


@pytest.mark.parametrize("cls", CLASSES)
def test_each_argument_has_a_line_with_its_default_in_the_docstring(cls):
    doc = inspect.getdoc(cls)
    described = doc[doc.index("\nArgs:") : doc.index("\nCall arguments:")]
    lines = dict(re.findall(r"^    (\w+): ((?:.|\n     )*)", described, re.MULTILINE))
    assert list(lines) == list(listed(cls))
    for name, default in listed(cls).items():
        if default is not inspect.Parameter.empty:
            number = f"{default:g}" if type(default) is float else default
            shown = f'"{default}"' if isinstance(default, str) else str(number)
            assert " ".join(lines[name].split()).endswith(f"Default: {shown}."), name
    for part in ("Call arguments", "Returns", "Raises", "Example"):
        assert f"\n{part}:\n" in doc


@pytest.mark.parametrize("cls", CLASSES)
def test_arguments_are_taken_by_position_too(cls):
    values = [5, None, *list(listed(cls).values())[2:]]  # units, and the identity as activation
    config = cls(*values).get_config()
    assert (config["units"], config["activation"]) == (5, "linear")
    assert config == cls(units=5, activation=None).get_config() | {"name": config["name"]}

"""The functions of `seqclf` beside the commands' modules of the same names."""

import subprocess
import sys

import pytest

NAMES = ("evaluate", "export", "generate", "predict")
ORDERS = {
    "function first": "import seqclf; seqclf.{0}; import seqclf.{0}",
    "module first": "import seqclf.{0}",
    "module by from": "from seqclf import {0} as found; assert found.__module__ != 'seqclf.{0}'",
    "module by importlib": "import importlib; importlib.import_module('seqclf.{0}')",
    "what is in the module": "from seqclf.{0} import main, check",
    "module as a name": "import seqclf.{0} as found; assert not isinstance(found, type(sys))",
}


@pytest.mark.parametrize("order", ORDERS)
def test_a_command_s_module_does_not_take_the_place_of_the_function(order):
    program = (
        f"import sys\n{ORDERS[order]}\nimport seqclf\n"
        + """
function = seqclf.{0}
assert callable(function) and function.__module__.startswith("seqclf.api."), function
from seqclf import {0}
assert {0} is function
import importlib
module = importlib.import_module("seqclf.{0}")
assert module.__name__ == "seqclf.{0}" and callable(module.main), module
assert seqclf.{0} is function and getattr(seqclf, "{0}") is function
assert "{0}" in dir(seqclf)
import pickle
assert pickle.loads(pickle.dumps(function)) is function
assert "tensorflow" not in sys.modules
"""
    )
    for name in NAMES:  # a process for each, because the order of imports is what is tested
        done = subprocess.run(
            [sys.executable, "-c", program.replace("{0}", name)], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr


def test_other_modules_and_attributes_are_set_as_ever(monkeypatch):
    import seqclf
    import seqclf.errors
    from seqclf.api.prediction import predict

    assert seqclf.errors.__name__ == "seqclf.errors"
    monkeypatch.setattr(seqclf, "predict", len)  # what is no module may be set: for tests of users
    assert seqclf.predict is len
    monkeypatch.undo()
    assert seqclf.predict is predict


def test_what_needs_no_tensorflow_does_not_import_it():
    program = """
import sys, seqclf
seqclf.fit, seqclf.evaluate, seqclf.load_run, seqclf.predict, seqclf.export, seqclf.TrainedRun
seqclf.SequenceClassifier, seqclf.generate
seqclf.connect("http://localhost:1/v1/models/m").close()
assert not {"tensorflow", "keras", "grpc", "seqclf.layers"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True)

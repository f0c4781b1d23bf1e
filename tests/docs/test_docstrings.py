"""The examples in docstrings run and give what they say."""

import doctest
import importlib
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import seqclf

PACKAGE = Path(seqclf.__file__).parent
MODULES = [
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in sorted(PACKAGE.rglob("*.py"))
    if ">>> " in path.read_text()
]
# What an example may use without importing it, beside its module's own names.
PROVIDED = {"keras": keras, "np": np, "seqclf": seqclf, "tf": tf}


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    module = importlib.import_module(name)
    names = PROVIDED | {name: getattr(seqclf, name) for name in seqclf.__all__} | vars(module)
    found, report = 0, []
    runner = doctest.DocTestRunner(verbose=False)
    for test in doctest.DocTestFinder(exclude_empty=True).find(module, globs=names):
        runner.run(test, out=report.append)
        found += len(test.examples)
    assert found, "the examples are in no docstring"
    assert not runner.failures, "".join(report)

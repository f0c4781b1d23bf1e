"""The columns by which `predict` reads a table: those of the training, or those of the flags."""

import dataclasses

import pytest

from seqclf.data.spec import DatasetSpec
from seqclf.data.table_layout import TableLayout
from seqclf.errors import ConfigError, DataError
from seqclf.serving.model_input import ModelInput
from seqclf.serving.predicting.table_options import TableOptions, layout_for

LAYOUT = TableLayout("long", id="run", time="t", label="state", group="machine", values=("a", "b"))


def model(table=None, names=(), shape=(None, 2)):
    spec = DatasetSpec(
        "test", "rows", (5, 2), "float32", ("x", "y"), True, feature_names=names, table=table
    )
    return ModelInput("float32", shape, True, False, spec)


def test_the_columns_of_the_training_table():
    assert layout_for(model(LAYOUT), TableOptions(), "f") == LAYOUT


def test_the_flags_come_first():
    options = TableOptions(id="who", features="c, d", separator="tab", decimal=",")
    changed = {"id": "who", "values": ("c", "d"), "separator": "\t", "decimal": ","}
    assert layout_for(model(LAYOUT), options, "f") == dataclasses.replace(LAYOUT, **changed)


def test_a_model_of_arrays_whose_features_have_names():
    layout = layout_for(model(names=("u", "v")), TableOptions(id="i", time="t"), "f")
    assert layout == TableLayout("long", id="i", time="t", values=("u", "v"))


def test_windows_are_cut_as_in_training():
    table = dataclasses.replace(LAYOUT, window=8, stride=4, window_label="last")
    assert layout_for(model(table), TableOptions(id="who"), "f").window_label == "last"
    assert layout_for(model(table), TableOptions(id="who"), "f").stride == 4


@pytest.mark.parametrize(
    ("made", "options", "message"),
    [
        (model(), {"id": "i"}, "does not know the names of the 2 features: .* --features"),
        (model(names=("u", "v")), {}, "which column tells the sequences apart: name it in --id"),
        (model(LAYOUT), {"features": "a"}, "reads 2 features at each time step. Received: 1"),
        (model(LAYOUT), {"form": "wide", "features": "a"}, "Received: 1 .the wide form has one"),
        (model(LAYOUT), {"form": "wide"}, "does not know the names of the time steps"),
        (model(shape=(8, 8, 3)), {}, "this model reads images"),
        (ModelInput("float32", (None, 2), True, False), {"id": "i"}, "--manifest names"),
    ],
)
def test_what_is_not_known_is_asked_for(made, options, message):
    with pytest.raises((ConfigError, DataError), match=message):
        layout_for(made, TableOptions(**options), "f")


def test_the_wide_form():
    spec = DatasetSpec("test", "rows", (3, 1), "float32", ("x", "y"))
    wide = ModelInput("float32", (3, 1), False, False, spec)
    options = TableOptions(form="wide", features="t0,t1,t2")
    assert layout_for(wide, options, "f").values == ("t0", "t1", "t2")
    with pytest.raises(ConfigError, match="--time is for the long form"):
        layout_for(wide, dataclasses.replace(options, time="t"), "f")

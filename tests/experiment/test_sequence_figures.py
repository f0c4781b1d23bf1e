"""Figures of sequences: what is in the panels, read back from matplotlib."""

import dataclasses
import warnings

import numpy as np
import pytest

from seqclf.data.dataset import Dataset, DatasetSpec, Split
from seqclf.experiment.figures import worst_mistakes
from seqclf.experiment.sequence_figures import example_of_each_class, sequences_figure
from seqclf.inspection.example_panels import beside_example
from seqclf.inspection.stepwise import Inspection
from seqclf.training.evaluation import Score


def data(features, names=(), count=4, dtype="float32"):
    """Returns spec and split: lengths 3, 5, 7, …; beyond them lies 99."""
    rng = np.random.default_rng(0)
    lengths = np.arange(count, dtype=np.int32) * 2 + 3
    x = rng.normal(size=(count, 2 * count + 3, features)).astype(dtype)
    for row, length in zip(x, lengths, strict=True):
        row[length:] = 99
    spec = DatasetSpec(
        *("t", "rows", x.shape[1:], dtype, ("calm", "busy")),
        variable_length=True,
        feature_names=names,
        missing="mean",
        fill=(0.0,) * features,
    )
    ids = np.array([f"run-{i}" for i in range(count)], object)
    return spec, Split(x, np.arange(count, dtype=np.int32) % 2, lengths, ids)


def panels(figure):
    figure.draw_without_rendering()
    return figure.axes


def test_a_panel_for_each_feature_over_the_valid_steps_only():
    spec, split = data(3, ("temp", "vib$x$", "press"))
    figure = sequences_figure(split, spec, ["a", "b", "c", "d"])
    axes = panels(figure)
    assert [each.get_ylabel() for each in axes] == ["temp", r"vib\$x\$", "press"] * 4
    assert [each.get_title() for each in axes[::3]] == ["a", "b", "c", "d"]
    assert all(each.get_xlabel() == "time step" for each in axes[2::3])
    for i in range(4):
        for d in range(3):
            line = axes[3 * i + d].get_lines()[0]
            np.testing.assert_array_equal(line.get_xdata(), np.arange(1, 2 * i + 4))
            np.testing.assert_array_equal(line.get_ydata(), split.x[i, : 2 * i + 3, d])
    for d in range(3):  # one scale for a feature
        assert len({axes[3 * i + d].get_ylim() for i in range(4)}) == 1
        assert axes[d].get_ylim()[1] < 50  # padding does not widen it


def test_sequences_that_are_scaled_by_themselves_have_scales_of_their_own():
    spec, split = data(3)
    split.x[2] *= 1000
    spec = dataclasses.replace(spec, own_scale=True)
    axes = panels(sequences_figure(split, spec, ["a", "b", "c", "d"]))
    assert len({axes[3 * i].get_ylim() for i in range(4)}) == 4
    assert axes[6].get_ylim()[1] > 50 > axes[0].get_ylim()[1]


def test_missing_values_are_gaps_and_lonely_values_are_seen():
    spec, split = data(2, count=2)
    split.x[1, [1, 3], 0] = np.nan
    split.x[0, :, 1] = np.nan
    axes = panels(sequences_figure(split, spec, ["a", "b"]))
    line, dots = axes[2].get_lines()
    np.testing.assert_array_equal(np.isnan(line.get_ydata()), [0, 1, 0, 1, 0])
    np.testing.assert_array_equal(dots.get_xdata(), [1, 3, 5])
    assert [text.get_text() for text in axes[1].texts] == ["no value"]


def test_of_many_features_six_are_drawn_and_the_rest_is_said():
    spec, split = data(9, count=2)
    figure = sequences_figure(split, spec, ["a", "b"])
    assert [each.get_ylabel() for each in panels(figure)] == [f"feature {d}" for d in range(6)] * 2
    assert figure.get_supxlabel() == "the first 6 of 9 features"
    assert not sequences_figure(*reversed(data(6, count=2)), ["a", "b"]).get_supxlabel()


def test_the_worst_mistakes_are_named_by_their_ids():
    spec, split = data(1, count=10)
    probabilities = np.stack([np.linspace(0.51, 0.99, 10), np.linspace(0.49, 0.01, 10)], 1)
    score = Score(probabilities, split.y, 1.0, 0.5)
    figure = worst_mistakes(split, spec, score)  # all are read as calm; the odd ones are busy
    titles = [axes.get_title() for axes in panels(figure)]
    assert titles[:2] == ["busy, read as calm\n99.0%, run-9", "busy, read as calm\n88.3%, run-7"]
    assert len(titles) == 5
    nameless = worst_mistakes(Split(split.x, split.y, split.lengths), spec, score, 1)
    assert panels(nameless)[0].get_title() == "busy, read as calm\n99.0%, #9"


def test_an_example_of_each_class():
    spec, split = data(2, ("u", "v"))
    figure = example_of_each_class(Dataset(spec, split, split, split, "test"))
    assert [axes.get_title() for axes in panels(figure)[::2]] == ["calm\nrun-0", "busy\nrun-1"]
    assert figure.get_suptitle() == ""


def test_classes_that_are_left_out_are_said():
    spec, split = data(2, count=8)
    spec = dataclasses.replace(spec, class_names=tuple("abcdefgh"))
    split = dataclasses.replace(split, y=np.arange(8, dtype=np.int32))
    figure = example_of_each_class(Dataset(spec, split, split, split, "test"))
    assert len(panels(figure)) == 2 * 6
    assert figure.get_suptitle() == "6 of 8 classes"


def test_a_sequence_that_is_read_by_columns():
    x = np.arange(12, dtype=np.float32).reshape(1, 3, 4)
    spec = DatasetSpec("t", "columns", (3, 4), "float32", ("a", "b"))
    axes = panels(sequences_figure(Split(x, np.zeros(1, np.int32)), spec, ["a"]))
    assert len(axes) == 3
    np.testing.assert_array_equal(axes[1].get_lines()[0].get_ydata(), x[0, 1])


@pytest.mark.parametrize(("features", "shown"), [(1, 1), (3, 3), (9, 6)])
def test_explain_draws_the_features_beside_its_maps(features, shown):
    names = tuple(f"name_{d}" for d in range(features))
    spec, split = data(features, names, count=2)
    x = split.x[1, :5].copy()
    x[2, 0] = np.nan
    inspection = Inspection(x, spec, np.full((5, 2), 0.5), [])
    figure, others = beside_example(inspection, "what is read", 1.0, [1.0, 1.0])
    axes = panels(figure)
    assert axes[shown:] == others and len(others) == 2
    assert [each.get_title() for each in axes[:shown]] == list(names[:shown])
    assert axes[0].get_ylabel() == "time step"
    assert axes[0].get_ylim() == (5.5, 0.5)  # from top to bottom, as the maps beside it
    for d in range(shown):
        np.testing.assert_array_equal(axes[d].get_lines()[0].get_xdata(), x[:, d])
        np.testing.assert_array_equal(axes[d].get_lines()[0].get_ydata(), np.arange(1, 6))
    said = [each.get_xlabel() for each in axes[:shown]]
    assert ("the first 6 of 9 features" in said) == (features == 9)


def test_an_image_stays_an_image():
    spec = DatasetSpec("t", "rows", (5, 4), "uint8", ("a", "b"))
    inspection = Inspection(np.zeros((5, 4), np.uint8), spec, np.full((5, 2), 0.5), [])
    figure, others = beside_example(inspection, "what is read", 1.0, [1.0])
    assert len(figure.axes[0].get_images()) == 1 and len(others) == 1
    assert figure.axes[0].get_title() == "what is read"
    assert figure.axes[0].get_ylabel() == "row"


def test_long_names_leave_room():
    spec, split = data(6, tuple(f"a rather long name of feature {d}" for d in range(6)), count=6)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a layout that collapses is a warning
        panels(sequences_figure(split, spec, [f"{'c' * 16}, read as {'d' * 16}\n99 %"] * 6))
        inspection = Inspection(split.x[0, :3], spec, np.full((3, 2), 0.5), [])
        panels(beside_example(inspection, "what is read", 1.0, [1.0])[0])

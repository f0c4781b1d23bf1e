"""Arrays that were given as `[N, D, T]`: a note for these, and none for what is only wide."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits

from seqclf.data.axis_order import axis_order_note
from seqclf.data.dataset import Dataset

RNG = np.random.default_rng(0)


def courses(features, offsets=False):
    """Returns smooth sequences `[40, 60, features]`, each feature with a course of its own."""
    t = np.linspace(0, 6, 60)[:, None]
    x = np.sin(t * RNG.uniform(1, 3, (40, 1, features)) + RNG.uniform(0, 6, (40, 1, features)))
    x += 0.3 * RNG.normal(size=x.shape)
    return x + 20 * np.arange(features) if offsets else x


@pytest.mark.parametrize("features", [1, 3, 8])
@pytest.mark.parametrize("offsets", [False, True])
def test_swapped_axes_are_seen(features, offsets):
    x = courses(features, offsets)
    assert not axis_order_note(x)
    (note,) = axis_order_note(x.transpose(0, 2, 1))
    assert f"`x` has {features} time steps of 60 features" in note
    assert note.endswith("If so, give x.transpose(0, 2, 1)")


def test_missing_values_do_not_hide_it():
    x = courses(3).transpose(0, 2, 1).copy()
    x[RNG.uniform(size=x.shape) < 0.1] = np.nan
    assert axis_order_note(x)


def spectrum():
    """Returns `[40, 20, 64]`: a band that wanders over 64 frequencies; both axes are smooth."""
    f, t = np.linspace(0, 1, 64), np.arange(20)[:, None]
    return np.stack(
        [np.exp(-(((f - 0.5 - 0.3 * np.sin(t / 4 + p)) / 0.2) ** 2)) for p in range(40)]
    )


@pytest.mark.parametrize(
    "x",
    [
        RNG.normal(size=(50, 10, 60)),
        RNG.normal(size=(50, 10, 60)).cumsum(1),
        RNG.normal(size=(50, 10, 60)) + 100 * np.arange(60),  # features of different sizes
        RNG.normal(size=(50, 10, 1)) + 0.3 * RNG.normal(size=(50, 10, 60)),  # all of one cause
        spectrum(),
        load_breast_cancer().data[:, None],
        load_breast_cancer().data.reshape(-1, 3, 10),
        load_digits().images,
        load_digits().images.reshape(-1, 1, 64),
        load_digits().images.reshape(-1, 4, 16),
        np.zeros((5, 2, 40)),
        np.zeros((5, 2, 40), np.uint8),
        np.zeros((5, 2, 40, 3)),
    ],
)
def test_wide_data_and_images_stay_quiet(x):
    assert not axis_order_note(x)


def test_the_note_reaches_the_user():
    labels = ["a", "b"] * 20
    assert (
        "60 time steps of 3" in Dataset.from_arrays(courses(3).transpose(0, 2, 1), labels).notes[0]
    )
    assert not Dataset.from_arrays(courses(3), labels).notes


def test_the_data_sets_that_aeon_bundles():
    if importlib.util.find_spec("aeon") is None:
        pytest.skip("aeon is not installed: its data sets are the reference")
    import aeon
    from aeon.datasets import load_from_ts_file

    folder = Path(aeon.__file__).parent / "datasets" / "data"
    names = ("ArrowHead", "BasicMotions", "GunPoint", "ItalyPowerDemand", "OSULeaf")
    for name in (*names, "JapaneseVowels_eq", "PickupGestureWiimoteZ_eq"):
        x, _ = load_from_ts_file(str(folder / name.removesuffix("_eq") / f"{name}_TRAIN.ts"))
        assert axis_order_note(x), name  # aeon's own layout is [N, D, T]
        assert not axis_order_note(x.transpose(0, 2, 1)), name

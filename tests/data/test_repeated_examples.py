"""Examples that are in a source's own test split and in its training split as well are counted."""

import numpy as np

from seqclf.data.dataset import Dataset
from seqclf.data.sources import load_dataset

RNG = np.random.default_rng(0)
SEQUENCES = [RNG.normal(size=(RNG.integers(3, 9), 2)).astype("float32") for _ in range(40)]
LABELS = ["a", "b"] * 20
SPLITS = ["train"] * 28 + ["validation"] * 4 + ["test"] * 8


def notes(sequences, splits=SPLITS, **options):
    loaded = Dataset.from_arrays(sequences, LABELS, splits=splits, **options)
    return [note for note in loaded.notes if "equal to training examples" in note]


def with_copies(pairs):
    """Returns the sequences, of which some take the place of others."""
    return [SEQUENCES[pairs.get(i, i)] for i in range(40)]


def test_copies_are_counted_split_by_split():
    said = notes(with_copies({32: 3, 35: 3, 39: 27, 28: 0}))
    assert [note.split(":")[0] for note in said] == [
        "1 of 4 validation examples is equal to training examples",
        "3 of 8 test examples are equal to training examples",
    ]


def test_nothing_is_said_without_copies():
    assert not notes(SEQUENCES)
    # The same values at other lengths are another sequence; and so is a repetition within a split.
    longer = np.concatenate([SEQUENCES[0], np.zeros((1, 2), "float32")])
    assert not notes([*SEQUENCES[:36], longer, *[SEQUENCES[35]] * 3])
    # Random splits are not looked at: repetitions are then in the source itself.
    assert not notes(with_copies({32: 3, 35: 3}), splits=None)


def test_minus_zero_and_missing_values_are_equal_to_themselves():
    first, last = SEQUENCES[0].copy(), SEQUENCES[0].copy()
    first[0, 0], last[0, 0], first[1, 1], last[1, 1] = 0.0, -0.0, np.nan, np.nan
    sequences = [first, *SEQUENCES[1:39], last]
    assert notes(sequences, missing="mean")[0].startswith("1 of 8 test examples")


def test_files_of_a_training_and_a_test_split(tmp_path):
    """Images, whose splits are in files of their own; validation is held out at random."""
    x = RNG.integers(0, 255, (60, 4, 3)).astype("uint8")
    y = np.arange(60) % 2
    x_test = np.concatenate([x[:5], 255 - x[:7]])
    np.savez(tmp_path / "a.npz", x=x, y=y, x_test=x_test, y_test=y[:12])
    loaded = load_dataset(f"npz:{tmp_path / 'a.npz'}")
    in_train = sum((row == loaded.train.x).all((1, 2)).any() for row in x_test)
    assert 0 < in_train <= 5
    assert any(note.startswith(f"{in_train} of 12 test examples") for note in loaded.notes)


def test_a_folder_of_splits(tmp_path):
    for split, first in (("train", 0), ("val", 12), ("test", 10)):
        for i in range(4):
            path = tmp_path / split / LABELS[i] / f"{i}.npy"
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, SEQUENCES[(first + i) % 12])
    said = [note.split(":")[0] for note in load_dataset(f"folder:{tmp_path}").notes]
    assert "4 of 4 validation examples are equal to training examples" in said
    assert "2 of 4 test examples are equal to training examples" in said

"""A user's own `.npz` file: what is accepted, and the message for everything else."""

import itertools

import numpy as np
import pytest

from seqclf.data.npz import load_npz
from seqclf.data.sources import load_dataset
from seqclf.errors import DataError


@pytest.fixture
def good():
    rng = np.random.default_rng(0)
    return {
        "x": rng.normal(size=(90, 7, 4)),
        "y": np.arange(90) % 3,
        "lengths": rng.integers(1, 8, 90),
        "class_names": np.array(["walk", "run", "rest"]),
    }


def write(path, arrays):
    np.savez(path, **arrays)
    return f"npz:{path}"


def test_sequences_with_lengths_and_names(tmp_path, good):
    dataset = load_dataset(write(tmp_path / "a.npz", good), validation=0.1, test=0.2)
    spec = dataset.spec
    assert (spec.time_steps, spec.features, spec.variable_length) == (7, 4, True)
    assert spec.class_names == ("walk", "run", "rest")
    assert [len(split) for _, split in dataset.splits()] == [64, 8, 18]
    assert dataset.train.x.dtype == np.float32


def test_images_and_plain_labels(tmp_path, good):
    arrays = {"x": np.zeros((90, 6, 5, 3), np.uint8), "y": good["y"]}
    spec = load_dataset(write(tmp_path / "a.npz", arrays), reading="columns").spec
    assert (spec.time_steps, spec.features, spec.class_names) == (5, 18, ("0", "1", "2"))


def test_padding_may_hold_anything(tmp_path, good):
    beyond = np.arange(7) >= good["lengths"][:, None]
    good["x"][beyond] = np.nan
    dataset = load_dataset(write(tmp_path / "a.npz", good))
    assert all(np.isfinite(split.x).all() for _, split in dataset.splits())


def test_string_labels_and_names(tmp_path, good):
    del good["class_names"]
    good["y"] = np.array(["walk", "run", "rest"])[good["y"]]
    good["feature_names"] = np.array(["a", "b", "c", "d"])
    good["ids"] = np.arange(90) + 1000
    dataset = load_dataset(write(tmp_path / "a.npz", good))
    assert dataset.spec.class_names == ("rest", "run", "walk")
    assert dataset.spec.feature_names == ("a", "b", "c", "d")
    for _, split in dataset.splits():
        names = np.array(dataset.spec.class_names)[split.y]
        np.testing.assert_array_equal(names, good["y"][split.ids.astype(int) - 1000])


def test_splits_of_its_own(tmp_path, good):
    rest = slice(60, 70)
    arrays = {name: values[:60] for name, values in good.items() if name != "class_names"}
    arrays |= {"x_test": good["x"][rest, :5], "y_test": good["y"][rest]}
    arrays["lengths_test"] = np.minimum(good["lengths"][rest], 5)
    dataset = load_dataset(write(tmp_path / "a.npz", arrays))
    assert [len(split) for _, split in dataset.splits()] == [54, 6, 10]
    np.testing.assert_array_equal(dataset.test.lengths, arrays["lengths_test"])
    assert dataset.test.x.shape == (10, 7, 4)
    arrays |= {"x_validation": good["x"][70:], "y_validation": good["y"][70:]}  # no lengths
    dataset = load_dataset(write(tmp_path / "b.npz", arrays))
    assert [len(split) for _, split in dataset.splits()] == [60, 20, 10]
    assert (dataset.validation.lengths == 7).all()
    np.testing.assert_array_equal(dataset.validation.x, good["x"][70:].astype(np.float32))


def test_splits_by_name_and_by_group(tmp_path, good):
    good["splits"] = np.array(["train"] * 70 + ["val"] * 12 + ["test"] * 8)
    dataset = load_dataset(write(tmp_path / "a.npz", good))
    assert [len(split) for _, split in dataset.splits()] == [70, 12, 8]
    del good["splits"]
    good["ids"] = good["groups"] = np.arange(90) // 6
    dataset = load_dataset(write(tmp_path / "b.npz", good), split_by="group")
    found = [set(split.ids) for _, split in dataset.splits()]
    assert sum(map(len, found)) == len(set.union(*found)) == 15


def test_one_feature(tmp_path, good):
    arrays = {"x": good["x"][:, :, 0], "y": good["y"]}
    dataset = load_dataset(write(tmp_path / "a.npz", arrays))
    assert dataset.spec.raw_shape == (7, 1)
    assert dataset.notes == ("`x` is [90, 7]: read as sequences of one feature",)
    x = load_npz(str(tmp_path / "a.npz"), labelled=False).x
    np.testing.assert_array_equal(x, good["x"][:, :, :1])


def test_sequences_of_different_lengths_are_refused_with_the_lines_that_pad_them(tmp_path):
    """The message's own lines are run, and give a file that is read."""
    rng = np.random.default_rng(0)
    sequences = [rng.normal(size=(3 + i % 4, 2)) for i in range(60)]
    ragged = np.empty(60, object)
    ragged[:] = sequences
    labels = np.array(["a", "b"] * 30)
    with pytest.raises(DataError, match="`x` is an array of Python objects") as caught:
        load_dataset(write(tmp_path / "a.npz", {"x": ragged, "y": labels}))
    lines = [line.strip() for line in str(caught.value).splitlines()[1:]]
    assert len(lines) == 3
    names = {"np": np, "sequences": sequences, "FILE": tmp_path / "b.npz", "y": labels}
    exec("\n".join(lines).replace("…", "y=y"), names)
    dataset = load_dataset(f"npz:{tmp_path / 'b.npz'}")
    assert sorted(np.unique(dataset.train.lengths)) == [3, 4, 5, 6]
    assert dataset.spec.raw_shape == (6, 2)
    with pytest.raises(DataError, match=r"`y` is an array of Python objects.*y=y.astype\(str\)"):
        load_dataset(write(tmp_path / "c.npz", {"x": np.zeros((4, 2)), "y": labels.astype(object)}))


def change(name, value):
    def apply(arrays):
        arrays[name] = value(arrays[name]) if callable(value) else value

    return apply


def put(name, index, value):
    def apply(arrays):
        arrays[name][index] = value

    return apply


@pytest.mark.parametrize(
    "spoil, message",
    [
        (change("x", lambda x: x.astype(complex)), "`x` must hold real numbers"),
        (change("x", lambda x: x.astype(str)), "`x` must hold real numbers. Received: dtype <U"),
        (change("x", lambda x: x[0, 0]), r"`x` must be of shape [N, T, D]"),
        (change("x", lambda x: x[0]), "`y` must be of shape [7], one for each example of `x`"),
        (change("x", lambda x: x[:, :0]), "none of them 0. Received: [90, 0, 4]"),
        (put("x", (17, 0, 2), np.nan), "1 value is missing (NaN), the first at example 17, time"),
        (put("x", (17, 0, 2), 1e300), "`x` must be finite (in float32). Received: inf at"),
        (
            change("y", lambda y: y.astype(float)),
            "labels must be integers or strings. Received: dtype float64",
        ),
        (change("y", lambda y: y[:-1]), "`y` must be of shape [90], one for each example"),
        (put("y", 5, 3), "labels must lie in 0..2 (3 classes). Received: 3 at example 5"),
        (put("y", 5, -1), "labels count from 0. Received: -1 at example 5"),
        (put("y", 5, 2**32 + 1), "labels count from 0. Received: 4294967297 at example 5"),
        (
            lambda a: (a.pop("class_names"), put("y", 5, 10**9)(a)),
            "without a gap. Received: 1000000000 at example 5, of 90 examples",
        ),
        (change("y", lambda y: y % 2), "Class 2 ('rest') has none"),
        (change("y", lambda y: y * 0), "Class 1 ('run') has none"),
        (put("lengths", 8, 9), "`lengths` must lie in 1..7, the time steps of `x`. Received: 9"),
        (put("lengths", 8, 0), "Received: 0 at example 8"),
        (change("lengths", lambda v: v.astype(float)), "`lengths` must hold integers"),
        (change("class_names", np.array([1, 2, 3])), "`class_names` must be a one-dimensional"),
        (
            change("class_names", np.array(["a", "b", "a"])),
            "class names must differ. Received: 'a' for the classes 0 and 2",
        ),
        (change("class_names", np.array(["a", "", "b"])), "Received: '' for class 1"),
        (change("class_names", np.array(["a", "b", "c\nd"])), "Received: 'c\\nd' for class 2"),
        (lambda a: a.pop("y"), "must hold the arrays x and y"),
        (lambda a: a.update(z=1), "Received: x, y, lengths, class_names, z ('z' not known)"),
        (lambda a: a.update(x_test=a["x"]), "('y_test' missing)"),
        (lambda a: a.update(y_test=a["y"]), "('y_test' without its x)"),
        (lambda a: a.update(ids=np.arange(89)), "`ids` must be strings or integers of shape [90]"),
        (lambda a: a.update(groups=np.zeros(90)), "shape [90], one for each example. Received: fl"),
        (
            lambda a: a.update(splits=a["y"], x_test=a["x"], y_test=a["y"]),
            "must not have it. Received: both",
        ),
        (
            lambda a: a.update(splits=np.array(["train", "trial"] * 45)),
            "a split must be called train, validation (or val, valid, dev) or test",
        ),
        (
            lambda a: a.update(feature_names=np.array(["a", "b"])),
            "there must be 4 feature names, one for each feature. Received: 2",
        ),
        (
            lambda a: a.update(x_test=a["x"][..., :3], y_test=a["y"]),
            "must be of one shape. Received: [7, 4] and [7, 3]",
        ),
    ],
)
def test_spoilt_arrays_are_named(tmp_path, good, spoil, message):
    spoil(good)
    source = write(tmp_path / "spoilt.npz", good)
    with pytest.raises(DataError) as caught:
        load_dataset(source)
    assert message in str(caught.value)
    assert "spoilt.npz" in str(caught.value)


def test_nothing_is_unpickled(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("a pickle was run",))

    path = tmp_path / "bomb.npz"
    np.savez(path, x=np.array([Bomb()], dtype=object), y=np.zeros(1, int))
    with pytest.raises(DataError, match="refused because a pickle can run any code"):
        load_npz(str(path))


@pytest.mark.parametrize("keep", [0, 10, 500, -30])
def test_truncated_files(tmp_path, good, keep):
    path = tmp_path / "cut.npz"
    write(path, good)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match="cut.npz"):
        load_npz(str(path))


def test_damaged_and_foreign_files(tmp_path, good):
    path = tmp_path / "a.npz"
    write(path, good)
    content = bytearray(path.read_bytes())
    content[700] ^= 0xFF  # inside the data of x: only its checksum can tell
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.npz: truncated or not an .npz file"):
        load_npz(str(path))
    np.save(tmp_path / "b.npy", np.zeros(3))
    with pytest.raises(DataError, match="a single array"):
        load_npz(str(tmp_path / "b.npy"))
    with pytest.raises(DataError, match="no such file"):
        load_npz(str(tmp_path / "c.npz"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "pointer of Git LFS"),
        (b"x1,x2,label\n1,2,0\n", "a text file .it begins with 'x1,x2,label'"),
        ("länge,größe\n1,2\n".encode(), "a text file .it begins with 'länge,größe'"),
        (b"\x80\x04\x95what", "a pickle, which is refused"),
        (b"\x89HDF\r\n\x1a\n", "another kind of file"),
        (b"", "empty"),
    ],
)
def test_other_files_named_npz_are_said_to_be_what_they_are(tmp_path, content, message):
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(
        DataError, match=rf"a\.npz: truncated or not an .npz file: it is .*{message}"
    ):
        load_npz(str(tmp_path / "a.npz"))


@pytest.mark.parametrize(
    "names",
    [
        ["\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "no"],  # Persian, with a joiner
        ["\u0915\u094d\u200d\u0937", "no"],  # Hindi
        ["\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f6a2"],  # a family, a ship
        ["caf\u00e9", "cafe"],
    ],
)
def test_names_of_all_scripts_are_taken(tmp_path, good, names):
    arrays = {"x": good["x"], "y": good["y"] % 2, "class_names": np.array(names)}
    assert load_dataset(write(tmp_path / "a.npz", arrays)).spec.class_names == tuple(names)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a", "caf\u00e9", "cafe\u0301"], "class names must differ.*1 and 2, which look alike"),
        (["a", "b", "c\u2028d"], r"which has LINE SEPARATOR"),
        (["a", "b", "c\x7f"], r"without control characters.*for class 2"),
        (["a", "b", "\u202eexe"], r"which has RIGHT-TO-LEFT OVERRIDE"),
        (["a", "b", " "], r"must be text on one line. Received: ' ' for class 2"),
    ],
)
def test_names_that_cannot_be_shown_or_told_apart(tmp_path, good, names, message):
    good["class_names"] = np.array(names)
    with pytest.raises(DataError, match=message):
        load_dataset(write(tmp_path / "a.npz", good))


@pytest.mark.parametrize("count", range(1, 8))
def test_every_class_is_in_every_split(tmp_path, count):
    """A class of few examples, which proportions alone would leave out of validation or test."""
    y = np.zeros(60, int)
    y[-count:] = 1
    x = np.random.default_rng(0).normal(size=(60, 2, 2))
    source = write(tmp_path / "a.npz", {"x": x, "y": y})
    if count < 3:
        with pytest.raises(DataError, match=f"{count} of class '1'. Each class needs 3"):
            load_dataset(source)
        return
    for seed, (validation, test) in itertools.product(range(3), [(0.1, 0.2), (0.5, 0.5)]):
        dataset = load_dataset(source, split_seed=seed, validation=validation, test=test)
        assert not dataset.notes
        assert sum(len(split) for _, split in dataset.splits()) == 60
        assert all(set(split.y) == {0, 1} for _, split in dataset.splits())


def test_too_few_examples_to_split(tmp_path):
    source = write(
        tmp_path / "a.npz", {"x": np.zeros((6, 2, 2)), "y": np.array([0, 0, 0, 1, 1, 1])}
    )
    with pytest.raises(DataError, match=r"too few examples to hold out a fraction of 0\.2"):
        load_dataset(source)

"""tensorflow-datasets: MNIST from its original files, and the message when it is missing."""

import functools
import gzip
import http.server
import os
import re
import shutil
import threading
import time

import numpy as np
import pytest

from seqclf.data import tfds_source
from seqclf.data.idx import load_idx
from seqclf.data.sources import load_dataset
from seqclf.errors import DataError

MNIST_DIR = os.environ.get("SEQCLF_MNIST_DIR", "")
needs_mnist = pytest.mark.skipif(
    not MNIST_DIR, reason="$SEQCLF_MNIST_DIR does not name a folder with MNIST's four files"
)


@pytest.fixture(scope="module")
def tfds_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("tfds")


@needs_mnist
def test_mnist_from_a_folder_then_prepared(tfds_dir, monkeypatch):
    dataset = load_dataset("mnist", tfds_dir=str(tfds_dir), mnist_dir=MNIST_DIR)
    assert "prepared from the files in" in dataset.origin
    assert [len(split) for _, split in dataset.splits()] == [54000, 6000, 10000]
    assert (dataset.spec.raw_shape, dataset.spec.raw_dtype) == ((28, 28), "uint8")
    images, labels = load_idx(MNIST_DIR)["test"]
    key = lambda x, y: sorted(zip([i.tobytes() for i in x], y.tolist(), strict=True))  # noqa: E731
    assert key(dataset.test.x, dataset.test.y) == key(images, labels)

    monkeypatch.delenv("SEQCLF_MNIST_DIR")
    again = load_dataset("mnist", tfds_dir=str(tfds_dir))
    assert "prepared in" in again.origin
    assert again.fingerprint() == dataset.fingerprint()


@pytest.mark.slow
@needs_mnist
def test_mnist_by_download(tmp_path, monkeypatch):
    """A real HTTP server on this machine in the place of tensorflow-datasets' own host."""
    from tensorflow_datasets.image_classification import MNIST

    monkeypatch.delenv("SEQCLF_MNIST_DIR")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=MNIST_DIR)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        host = f"http://127.0.0.1:{server.server_port}/"
        monkeypatch.setattr(
            MNIST, "url_infos", {host + i.filename: i for i in MNIST.url_infos.values()}
        )
        monkeypatch.setattr(MNIST, "URL", host)
        dataset = load_dataset("mnist", tfds_dir=str(tmp_path))
        server.shutdown()
    assert dataset.origin.endswith("prepared from a download")
    assert [len(split) for _, split in dataset.splits()] == [54000, 6000, 10000]


@needs_mnist
def test_mnist_as_idx_files_gives_the_same_examples():
    dataset = load_dataset(f"idx:{MNIST_DIR}")
    assert [len(split) for _, split in dataset.splits()] == [54000, 6000, 10000]
    assert dataset.spec.background < 0.01


@needs_mnist
def test_the_environment_variable_is_taken(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(tfds_source, "_check_mnist_dir", lambda *a: calls.append(a[1:]) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        load_dataset("mnist", tfds_dir=str(tmp_path))
    assert calls == [(MNIST_DIR, "")]


@needs_mnist
def test_files_with_another_checksum_are_refused(tmp_path):
    folder = tmp_path / "files"
    shutil.copytree(MNIST_DIR, folder)
    for path in folder.iterdir():
        path.chmod(0o644)
    spoilt = folder / "t10k-labels-idx1-ubyte.gz"
    spoilt.write_bytes(gzip.compress(gzip.decompress(spoilt.read_bytes())[:-1] + b"\0"))
    with pytest.raises(DataError, match="do not have the checksums of the original"):
        load_dataset("mnist", tfds_dir=str(tmp_path / "tfds"), mnist_dir=str(folder))


def test_a_folder_without_the_files_is_refused(tmp_path):
    with pytest.raises(
        DataError, match=r"`data.mnist_dir` must name a folder .* lacks t10k-images"
    ):
        load_dataset("mnist", tfds_dir=str(tmp_path), mnist_dir=str(tmp_path))


def test_missing_data_is_said_within_seconds(tmp_path, monkeypatch):
    monkeypatch.delenv("SEQCLF_MNIST_DIR", raising=False)
    # A proxy at which nobody listens: no host can be reached, whatever the machine's network is.
    for variable in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
        monkeypatch.delenv("no_proxy", raising=False)
    start = time.monotonic()
    with pytest.raises(tfds_source.DatasetMissingError) as caught:
        load_dataset("mnist", tfds_dir=str(tmp_path))
    assert time.monotonic() - start < 20
    for part in (
        "Tried:",
        "prepared by",
        "SEQCLF_MNIST_DIR",
        "download:",
        "--config.data.mnist_dir",
    ):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    "name, message",
    [
        ("fashon_mnist", "Did you mean 'fashion_mnist'"),
        ("imdb_reviews", "must be an image-classification dataset"),
        ("cats_vs_dogs", "its images differ in size; set `data.image_size`"),
        ("a/../../etc", "tensorflow-datasets does not know"),
    ],
)
def test_names_that_cannot_be_taken(name, message, tmp_path):
    with pytest.raises(DataError) as caught:
        load_dataset(name, tfds_dir=str(tmp_path))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("available", "chosen", "note"),
    [
        (["train"], {"train": "train"}, ""),
        (["train", "test"], {"train": "train", "test": "test"}, ""),
        (
            ["train", "test", "validation"],
            {"train": "train", "validation": "validation", "test": "test"},
            "",
        ),
        (
            ["train", "validation"],
            {"train": "train", "test": "validation"},
            "; its validation split is the test split",
        ),
        (
            ["train", "test", "extra"],
            {"train": "train", "test": "test"},
            "; its split extra is not used",
        ),
    ],
)
def test_no_split_is_passed_over_in_silence(available, chosen, note):
    assert tfds_source._chosen_splits(available) == (chosen, note)


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    """A folder with images of several sizes, the dataset `shapes` of tensorflow-datasets."""
    import tensorflow_datasets as tfds

    rng = np.random.default_rng(0)

    class Shapes(tfds.core.GeneratorBasedBuilder):
        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            features = {
                "picture": tfds.features.Image(shape=(None, None, 3)),
                "kind": tfds.features.ClassLabel(names=["square", "disc"]),
            }
            return self.dataset_info_from_configs(
                features=tfds.features.FeaturesDict(features), supervised_keys=("picture", "kind")
            )

        def _split_generators(self, dl_manager):
            return {"train": self._examples(60), "validation": self._examples(20)}

        def _examples(self, count):
            for i in range(count):
                picture = np.full((4 + i % 3, 6, 3), 10 * (i % 20), np.uint8)
                yield i, {"picture": picture, "kind": int(rng.integers(2))}

        def _generate_examples(self):
            yield from ()

    folder = tmp_path_factory.mktemp("shapes")
    Shapes(data_dir=folder).download_and_prepare()
    return folder


def test_colour_images_of_several_sizes_through_tfds(shapes, monkeypatch):
    dataset = load_dataset("shapes", tfds_dir=str(shapes), image_size=(4, 5))
    assert dataset.spec.raw_shape == (4, 5, 3)
    assert dataset.spec.class_names == ("square", "disc")
    assert [len(split) for _, split in dataset.splits()] == [54, 6, 20]
    assert {int(v) for v in np.unique(dataset.test.x)} == {10 * i for i in range(20)}

    monkeypatch.setattr(tfds_source, "MEMORY_LIMIT", 1000)
    with pytest.raises(DataError, match=r"80 images of 4×5 take .* more than the"):
        load_dataset("shapes", tfds_dir=str(shapes), image_size=(4, 5))


@pytest.mark.parametrize("name", ["run [1]", "a*b", "[", "{INDEX}", "c\\d?"])
def test_a_folder_whose_name_is_a_pattern(shapes, name, tmp_path):
    folder = shutil.copytree(shapes, tmp_path / name)

    dataset = load_dataset("shapes", image_size=(4, 5), tfds_dir=str(folder))

    assert dataset.origin.startswith("tensorflow-datasets shapes/1.0.0, prepared in " + str(folder))
    assert [len(split) for _, split in dataset.splits()] == [54, 6, 20]
    shutil.rmtree(folder / "shapes")
    (folder / "shapes").touch()
    with pytest.raises(DataError, match=re.escape(f"cannot be prepared in {folder}")):
        load_dataset("shapes", image_size=(4, 5), tfds_dir=str(folder))


def test_a_folder_whose_name_is_a_pattern_from_the_environment(tmp_path, monkeypatch):
    folder = tmp_path / "run [1]"
    monkeypatch.setenv("TFDS_DATA_DIR", str(folder))
    with tfds_source._plain_folder("") as (path, named):
        assert named == str(folder)
        assert os.path.samefile(path, folder) and "[" not in path


def test_a_folder_whose_name_is_a_pattern_and_which_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"`data.tfds_dir` .*\[1\] cannot be used: Not a directory"):
        load_dataset("mnist", tfds_dir=str(tmp_path / "file" / "run [1]"))

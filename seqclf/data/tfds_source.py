"""Image-classification datasets of tensorflow-datasets, by name."""

import contextlib
import difflib
import os
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from seqclf.errors import DataError
from seqclf.storage.plain_path import SPECIAL, plain_path

MNIST_DIR_VARIABLE = "SEQCLF_MNIST_DIR"
PROBE_SECONDS = 10.0  # tensorflow-datasets itself retries an unreachable host for minutes
MEMORY_LIMIT = 8 * 2**30  # bytes of uint8 pixels


class DatasetMissingError(DataError):
    """The dataset is not prepared on this machine and cannot be fetched."""


SplitArrays = dict[str, tuple[np.ndarray, np.ndarray]]


def load_tfds(
    name: str, *, tfds_dir: str = "", mnist_dir: str = "", image_size: tuple[int, ...] = ()
) -> tuple[SplitArrays, tuple[str, ...], str]:
    """Loads a dataset of tensorflow-datasets, and prepares it first where that is needed.

    It takes the first of these that is available: the dataset as tensorflow-datasets prepared it
    earlier; for `mnist`, the four original files in `mnist_dir` or in the folder that
    $SEQCLF_MNIST_DIR names (tensorflow-datasets verifies their checksums); a download.

    Args:
        name: the name of the dataset, such as `mnist`, `fashion_mnist`, `kmnist` or `cifar10`.
        tfds_dir: tensorflow-datasets' folder; empty: its own default.
        mnist_dir: the folder of MNIST's four `.gz` files; empty: $SEQCLF_MNIST_DIR.
        image_size: the (height, width) that images are resized to; () keeps their sizes.

    Returns:
        The arrays of each split (`train`, and `validation` and `test` if it has them): uint8
        `[N, H, W]` or `[N, H, W, C]` and integer labels `[N]`; the class names; a line that tells
        where the data came from.

    Raises:
        DatasetMissingError: the dataset is not on this machine and cannot be fetched.
        DataError: the name is unknown, the dataset is not for image classification, its images
            differ in size and there is no `image_size`, it is too large for memory, or its files
            fail their checksums.
    """
    with _plain_folder(tfds_dir) as (path, folder):
        try:
            arrays, class_names, origin = _load(name, path, mnist_dir, image_size)
        except DataError as error:
            raise type(error)(str(error).replace(path, folder)) from error
    return arrays, class_names, origin.replace(path, folder)


def _load(
    name: str, folder: str, mnist_dir: str, image_size: tuple[int, ...]
) -> tuple[SplitArrays, tuple[str, ...], str]:
    builder = _builder(name, folder)
    image_key, label_key = _keys(builder, name)
    _check_image_size(builder, name, image_key, image_size)
    origin = _prepare(builder, name, mnist_dir)
    _check_memory(builder, name, image_key, image_size)
    if "train" not in builder.info.splits:
        raise DataError(f"{name}: has no train split, only {', '.join(builder.info.splits)}.")
    chosen, note = _chosen_splits(list(builder.info.splits))
    arrays = {
        ours: _read_split(builder, theirs, (image_key, label_key), image_size)
        for ours, theirs in chosen.items()
    }
    return arrays, tuple(builder.info.features[label_key].names), origin + note


def _chosen_splits(available: Sequence[str]) -> tuple[dict[str, str], str]:
    """Returns which split of tensorflow-datasets each of ours is, and what is unusual in words.

    Without a test split, the validation split is the test split.
    """
    chosen = {name: name for name in ("train", "validation", "test") if name in available}
    note = ""
    if "test" not in chosen and "validation" in chosen:
        chosen["test"] = chosen.pop("validation")
        note = "; its validation split is the test split"
    if unused := [name for name in available if name not in chosen.values()]:
        note += f"; its split {' and '.join(unused)} is not used"
    return chosen, note


@contextlib.contextmanager
def _plain_folder(tfds_dir: str) -> Iterator[tuple[str, str]]:
    """Gives a path of tensorflow-datasets' folder, and the path to name it by in messages.

    tensorflow-datasets looks for what it prepared with the path as a pattern: in `run [1]` it would
    find nothing, and prepare the dataset each time. Such a folder gets a plain path. Two empty
    strings stand for the default of tensorflow-datasets.
    """
    # not Path: it would make gs:/ of gs://
    folder = os.path.expanduser(tfds_dir) or os.environ.get("TFDS_DATA_DIR", "")
    if "://" in folder or not SPECIAL.search(folder):
        yield folder, folder  # of the environment too: tensorflow-datasets reads it at its import
        return
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"`data.tfds_dir` {folder} cannot be used: {error.strerror}.") from error
    with plain_path(Path(folder)) as link:
        yield str(link), folder


def _builder(name: str, folder: str) -> Any:
    import tensorflow_datasets as tfds

    try:
        return tfds.builder(name, data_dir=folder or None)
    except (tfds.core.registered.DatasetNotFoundError, ValueError) as error:
        known = tfds.list_builders(with_community_datasets=False)
        near = difflib.get_close_matches(name.split("/")[0].split(":")[0], known, n=3)
        hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        raise DataError(
            "`data.source` must be digits, a name of tensorflow-datasets, or the kind of a file or "
            "folder and its path: csv:FILE, parquet:FILE, folder:DIR, ts:TRAIN,TEST, "
            "tsv:TRAIN,TEST, npz:FILE, idx:DIR or tfrecord:GLOB. "
            f"Received: {name!r}, which tensorflow-datasets does not know.{hint}"
        ) from error


def _keys(builder: Any, name: str) -> tuple[str, str]:
    """Returns the names of the image feature and of the label feature."""
    import tensorflow_datasets as tfds

    features = builder.info.features
    keys: Any = builder.info.supervised_keys or ()
    if len(keys) == 2 and all(isinstance(key, str) for key in keys):
        image, label = features[keys[0]], features[keys[1]]
        if isinstance(image, tfds.features.Image) and isinstance(label, tfds.features.ClassLabel):
            return keys[0], keys[1]
    raise DataError(
        f"{name}: `data.source` must be an image-classification dataset (one image, one class "
        f"label). Received features: {', '.join(features)}"
    )


def _check_image_size(builder: Any, name: str, image_key: str, image_size: tuple[int, ...]) -> None:
    if None in builder.info.features[image_key].shape[:2] and not image_size:
        raise DataError(
            f"{name}: its images differ in size; set `data.image_size`, for instance "
            f"--config.data.image_size='(64, 64)', to resize them to one."
        )


def _check_memory(builder: Any, name: str, image_key: str, image_size: tuple[int, ...]) -> None:
    height, width, channels = builder.info.features[image_key].shape
    if image_size:
        height, width = image_size
    count = sum(split.num_examples for split in builder.info.splits.values())
    size = count * height * width * (channels or 3)
    if size > MEMORY_LIMIT:
        raise DataError(
            f"{name}: {count:,} images of {height}×{width} take {size / 2**30:.1f} GiB of memory, "
            f"more than the {MEMORY_LIMIT / 2**30:.0f} GiB that are allowed: "
            "set a smaller `data.image_size`."
        )


def _prepare(builder: Any, name: str, mnist_dir: str) -> str:
    """Makes sure that the dataset is on disk; returns a line that tells where it came from."""
    import tensorflow_datasets as tfds
    from tensorflow_datasets.core.download.download_manager import NonMatchingChecksumError

    if builder.is_prepared():
        return f"tensorflow-datasets {builder.info.full_name}, prepared in {builder.data_path}"
    manual_dir = (mnist_dir or os.environ.get(MNIST_DIR_VARIABLE, "")) if name == "mnist" else ""
    if manual_dir:
        _check_mnist_dir(builder, manual_dir, mnist_dir)
    elif (unreachable := _unreachable(builder)) is not None:
        raise DatasetMissingError(_missing_message(builder, name, unreachable))
    if not sys.stderr.isatty():
        tfds.disable_progress_bar()
    where = f"the files in {manual_dir}" if manual_dir else "a download"
    print(f"Preparing {name} from {where}; this is done once.", flush=True)
    try:
        builder.download_and_prepare(
            download_config=tfds.download.DownloadConfig(
                manual_dir=Path(manual_dir).expanduser() if manual_dir else None,
                try_download_gcs=False,
            )
        )
    except tfds.download.DownloadError as error:
        raise DatasetMissingError(f"{name}: the download failed: {error}") from error
    except NonMatchingChecksumError as error:
        raise DataError(
            f"{name}: {where} do not have the checksums of the original files: {error}"
        ) from error
    except OSError as error:
        raise DataError(f"{name}: cannot be prepared in {builder.data_path}: {error}") from error
    return f"tensorflow-datasets {builder.info.full_name}, prepared from {where}"


def _check_mnist_dir(builder: Any, folder: str, from_config: str) -> None:
    said_by = "`data.mnist_dir`" if from_config else f"${MNIST_DIR_VARIABLE}"
    names = sorted(info.filename for info in builder.url_infos.values())
    missing = [n for n in names if not (Path(folder).expanduser() / n).is_file()]
    if missing:
        raise DataError(
            f"mnist: {said_by} must name a folder with {', '.join(names)}. "
            f"Received: {folder!r}, which lacks {', '.join(missing)}"
        )


def _unreachable(builder: Any) -> str | None:
    """Returns why the dataset's host cannot be reached, or None if it answers."""
    urls = [url for url in (builder.url_infos or {}) if url.startswith("http")]
    if not urls:
        return None
    outcome = ["no answer"]

    def probe() -> None:
        request = urllib.request.Request(urls[0], method="HEAD")
        try:
            urllib.request.urlopen(request, timeout=PROBE_SECONDS / 2).close()
        except urllib.error.HTTPError:
            pass  # the host answers, even if it refuses HEAD requests
        except OSError as error:
            outcome[0] = str(getattr(error, "reason", error))
            return
        outcome[0] = ""

    thread = threading.Thread(
        target=probe, daemon=True
    )  # a thread, because a name look-up has no time limit
    thread.start()
    thread.join(PROBE_SECONDS)
    return f"{urls[0]}: {outcome[0]}" if outcome[0] else None


def _missing_message(builder: Any, name: str, unreachable: str) -> str:
    tried = [f"prepared by tensorflow-datasets in {builder.data_path}: not there"]
    supply = [f"run once on a machine with a network, then copy {builder.data_path} here"]
    if name == "mnist":
        tried.append(f"a folder in `data.mnist_dir` or ${MNIST_DIR_VARIABLE}: neither is set")
        names = ", ".join(sorted(info.filename for info in builder.url_infos.values()))
        supply.insert(0, f"put {names} in a folder and pass --config.data.mnist_dir=FOLDER")
    elif all(info.filename.endswith("ubyte.gz") for info in builder.url_infos.values()):
        supply.insert(0, "put its four .gz files in a folder and pass data.source=idx:FOLDER")
    tried.append(f"download: {unreachable}")
    supply.append("or train on the bundled digits with --config.data.source=digits")
    return "\n".join(
        [f"{name} is not on this machine and cannot be fetched. Tried:"]
        + [f"  - {line}" for line in tried]
        + ["To supply it:"]
        + [f"  - {line}" for line in supply]
    )


def _read_split(
    builder: Any, split: str, keys: tuple[str, str], image_size: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Reads one split into memory, in the order of its files."""
    import tensorflow as tf

    def pair(example: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        image = example[keys[0]]
        if image_size:
            resized = tf.image.resize(image, image_size, method="area")
            image = tf.cast(tf.round(resized), tf.uint8)
        return image, example[keys[1]]

    examples = builder.as_dataset(split=split).map(pair, tf.data.AUTOTUNE)
    try:
        batches = list(examples.batch(1024).as_numpy_iterator())
    except (tf.errors.DataLossError, tf.errors.NotFoundError) as error:
        raise DataError(
            f"{builder.info.full_name}: its prepared files in {builder.data_path} are damaged "
            f"({error.message}). Delete that folder to have it prepared again."
        ) from error
    images = np.concatenate([images for images, _ in batches])
    if images.shape[-1] == 1:
        images = images[..., 0]
    return images, np.concatenate([labels for _, labels in batches])

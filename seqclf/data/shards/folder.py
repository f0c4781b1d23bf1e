"""A folder with one sub-folder for each class as the source of a converter: images or arrays.

DIR/CLASS/anything.png            or another image format, or .npy; the converter makes the splits
DIR/train/CLASS/anything.png      and perhaps DIR/test and DIR/validation (or val, valid, dev)
"""

import dataclasses
import hashlib
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from seqclf.data.checks import missing_classes
from seqclf.data.image_files import read_image
from seqclf.data.shards.examples import Example, Part, Source
from seqclf.data.shards.folder_layout import ARRAY_SUFFIXES, File, FolderLayout, read_layout
from seqclf.data.shards.schema import SPLITS
from seqclf.errors import DataError


@dataclasses.dataclass(frozen=True)
class ImageOptions:
    """How image files are read.

    Attributes:
        size: the (height, width) that images are resized to; () keeps their sizes.
        channels: 1 (grey) or 3 (RGB); 0: grey if the first training image is grey, RGB if not.
    """

    size: tuple[int, ...] = ()
    channels: int = 0


def folder_source(
    folder: str,
    *,
    validation: float = 0.1,
    test: float = 0.2,
    seed: int = 0,
    images: ImageOptions | None = None,
) -> Source:
    """Returns the examples of a folder; it holds the names in memory, but not the contents.

    Args:
        folder: a folder of the structure that the module's docstring shows.
        validation: the fraction of the training examples to validate on, if there is no such
            folder.
        test: the fraction of the examples to test on, if there is no such folder.
        seed: the seed of the splits, which keep the proportions of the classes, and of the order
            of the training examples. Seed and names alone decide both.
        images: how image files are read.

    Raises:
        DataError: there is no such folder, a class has too few examples, or there are files of two
            kinds. While the examples are read: a file is damaged, or of another shape than the
            first.
    """
    root = Path(folder).expanduser()
    if not root.is_dir():
        raise DataError(f"folder:{folder}: no such folder.")
    layout = read_layout(root)
    splits = dict(layout.splits)
    _check_training(splits["train"], layout)
    fractions = {"test": test, "validation": validation}
    missing = [name for name in fractions if name not in splits]
    for i, name in enumerate(missing):
        later = len(missing) - 1 - i
        splits["train"], splits[name] = _hold_out(
            splits["train"], fractions[name], seed, layout, later
        )
    _check_kinds(splits, root)
    splits["train"].sort(key=lambda file: _draw(seed, file[0], root))
    first = splits["train"][0][0]
    read = _read_array if first.suffix.lower() in ARRAY_SUFFIXES else _image_reader(first, images)
    parts = {name: Part(len(splits[name]), _examples(splits[name], read)) for name in SPLITS}
    labels = {name: [y for _, y in files] for name, files in splits.items()}
    notes = (*layout.notes, *missing_classes(labels, layout.class_names))
    return Source(f"folder {root}", layout.class_names, parts, notes=notes)


def _draw(seed: int, path: Path, root: Path) -> bytes:
    """Returns a random key of a file."""
    return hashlib.sha256(f"{seed} {path.relative_to(root).as_posix()}".encode()).digest()


def _hold_out(
    files: list[File], fraction: float, seed: int, layout: FolderLayout, later: int
) -> tuple[list[File], list[File]]:
    """Returns the files that are kept and those that are held out, with every class in both.

    Args:
        files: the files, class by class.
        fraction: the fraction of each class that is held out.
        seed: the seed of the choice.
        layout: the layout of the folder.
        later: how many more splits are held out afterwards; each needs a file of every class.
    """
    kept, held_out = [], []
    for y, group in itertools.groupby(files, key=lambda file: file[1]):
        of_class, name = list(group), layout.class_names[y]
        most = len(of_class) - 1 - later
        if most < 1:
            raise DataError(
                f"{layout.root}: too few examples of class {name!r} to hold out a fraction of "
                f"{fraction:g}: {len(of_class)}, and {2 + later} are needed, one for each split. "
                "Supply more, or folders train, validation and test."
            )
        count = max(1, min(round(fraction * len(of_class)), most))
        drawn = sorted(of_class, key=lambda file: _draw(seed, file[0], layout.root))
        held_out += drawn[:count]
        kept += drawn[count:]
    return kept, sorted(held_out)


def _check_training(files: list[File], layout: FolderLayout) -> None:
    trained = {y for _, y in files}
    for y, name in enumerate(layout.class_names):
        if y not in trained:
            raise DataError(
                f"{layout.root}: class {name!r} has no example to train on. The folder of a class "
                f"holds image files or .npy arrays.{layout.notes_in_words()}"
            )


def _check_kinds(splits: dict[str, list[File]], root: Path) -> None:
    for split, files in splits.items():
        if not files:
            raise DataError(
                f"{root}: no examples for the {split} split. It must hold one folder of image "
                "files or .npy arrays for each class."
            )
    kinds = {
        path.suffix.lower() in ARRAY_SUFFIXES for files in splits.values() for path, _ in files
    }
    if len(kinds) > 1:
        raise DataError(f"{root}: holds images and .npy arrays; convert them separately.")


def _examples(
    files: list[File], read: Callable[[Path], np.ndarray]
) -> Callable[[], Iterator[Example]]:
    def examples() -> Iterator[Example]:
        for path, y in files:
            yield Example(read(path), y, str(path))

    return examples


def _read_array(path: Path) -> np.ndarray:
    """Returns the array of an .npy file."""
    try:
        x = np.load(path, allow_pickle=False)
    except (OSError, EOFError, ValueError) as error:
        raise DataError(f"{path}: truncated, damaged or no .npy file ({error}).") from error
    if not isinstance(x, np.ndarray) or x.dtype.kind not in "biuf" or x.ndim not in (2, 3):
        raise DataError(
            f"{path}: must hold one array of real numbers, [T, D] (or an image [H, W] or "
            f"[H, W, C]). Received: {getattr(x, 'dtype', type(x).__name__)} "
            f"{list(getattr(x, 'shape', []))}"
        )
    return x


def _image_reader(first: Path, options: ImageOptions | None) -> Callable[[Path], np.ndarray]:
    """Returns the function that reads image files, all with the same channels and size."""
    options = options or ImageOptions()
    channels = options.channels or (1 if read_image(first).ndim == 2 else 3)

    def read_resized(path: Path) -> np.ndarray:
        pixels = read_image(path, channels)
        if options.size:
            height, width = options.size
            image = Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS)
            pixels = np.asarray(image)
        return pixels

    return read_resized

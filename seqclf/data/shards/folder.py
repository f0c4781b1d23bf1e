"""A folder with one sub-folder for each class as the source of a converter: images or arrays.

DIR/CLASS/anything.png            or .jpg, .jpeg, .npy; the converter makes the splits
DIR/train/CLASS/anything.png      and perhaps DIR/test and DIR/validation
"""

import dataclasses
import hashlib
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from seqclf.data.shards.examples import Example, Part, Source
from seqclf.data.shards.schema import SPLITS
from seqclf.errors import DataError

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg")
ARRAY_SUFFIXES = (".npy",)


@dataclasses.dataclass(frozen=True)
class ImageOptions:
    """How image files are read.

    Attributes:
        size: the (height, width) that images are resized to; () keeps their sizes.
        channels: 1 (grey) or 3 (RGB); 0: grey if the first training image is grey, RGB if not.
    """

    size: tuple[int, ...] = ()
    channels: int = 0


File = tuple[Path, int]  # a path and its class index


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
    roots = {name: root / name for name in SPLITS if (root / name).is_dir()}
    if "train" not in roots:
        roots = {"train": root}
    names = tuple(sorted(p.name for p in _entries(roots["train"]) if p.is_dir()))
    splits = {name: _files(of_split, names) for name, of_split in roots.items()}
    for name, fraction in (("test", test), ("validation", validation)):
        if name not in splits:
            splits["train"], splits[name] = _hold_out(splits["train"], fraction, seed, names, root)
    _check(splits, names, root)
    splits["train"].sort(key=lambda file: _draw(seed, file[0], root))
    first = splits["train"][0][0]
    read = _read_array if first.suffix in ARRAY_SUFFIXES else _image_reader(first, images)
    parts = {name: Part(len(splits[name]), _part(splits[name], read)) for name in SPLITS}
    return Source(f"folder {root}", names, parts)


def _entries(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if not path.name.startswith(".")]


def _files(root: Path, names: tuple[str, ...]) -> list[File]:
    """Returns the files of a split, class by class, sorted by name."""
    if unknown := sorted(p.name for p in _entries(root) if p.is_dir() and p.name not in names):
        raise DataError(f"{root / unknown[0]}: the training examples have no class of that name.")
    return [
        (path, y)
        for y, name in enumerate(names)
        if (root / name).is_dir()
        for path in sorted(_entries(root / name))
        if path.suffix.lower() in IMAGE_SUFFIXES + ARRAY_SUFFIXES
    ]


def _draw(seed: int, path: Path, root: Path) -> bytes:
    """Returns a random key of a file."""
    return hashlib.sha256(f"{seed} {path.relative_to(root).as_posix()}".encode()).digest()


def _hold_out(
    files: list[File], fraction: float, seed: int, names: tuple[str, ...], root: Path
) -> tuple[list[File], list[File]]:
    kept, held_out = [], []
    for y, group in itertools.groupby(files, key=lambda file: file[1]):
        of_class, name = list(group), names[y]
        count = max(1, round(fraction * len(of_class)))
        if count >= len(of_class):
            raise DataError(
                f"{root}: too few examples of class {name!r} to hold out a fraction of "
                f"{fraction:g}: {len(of_class)} in all. Supply more, or folders train, validation "
                "and test."
            )
        drawn = sorted(of_class, key=lambda file: _draw(seed, file[0], root))
        held_out += drawn[:count]
        kept += drawn[count:]
    return kept, sorted(held_out)


def _check(splits: dict[str, list[File]], names: tuple[str, ...], root: Path) -> None:
    trained = {y for _, y in splits["train"]}
    for y, name in enumerate(names):
        if y not in trained:
            raise DataError(
                f"{root}: class {name!r} has no example to train on. A class's folder holds "
                f"{', '.join(IMAGE_SUFFIXES + ARRAY_SUFFIXES)} files."
            )
    for split, files in splits.items():
        if not files:
            raise DataError(
                f"{root}: no examples for the {split} split. It must hold one folder for each "
                f"class, of {', '.join(IMAGE_SUFFIXES + ARRAY_SUFFIXES)} files."
            )
    kinds = {
        path.suffix.lower() in ARRAY_SUFFIXES for files in splits.values() for path, _ in files
    }
    if len(kinds) > 1:
        raise DataError(f"{root}: holds images and .npy arrays; convert them separately.")


def _part(files: list[File], read: Callable[[Path], np.ndarray]) -> Callable[[], Iterator[Example]]:
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
    """Returns the function that reads image files, all in the same mode."""
    options = options or ImageOptions()
    mode = {1: "L", 3: "RGB"}.get(options.channels)

    def read_image(path: Path) -> np.ndarray:
        nonlocal mode
        try:
            with Image.open(path) as file:
                image: Image.Image = file
                if "A" in image.getbands() or "transparency" in image.info:
                    white = Image.new("RGBA", image.size, "white")
                    image = Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
                mode = mode or ("L" if image.mode in ("1", "L") else "RGB")
                image = image.convert(mode)
                if options.size:
                    height, width = options.size
                    image = image.resize((width, height), Image.Resampling.LANCZOS)
                return np.asarray(image)
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise DataError(f"{path}: truncated, damaged or no image ({error}).") from error

    if mode is None:
        read_image(first)  # the first training example decides whether all are grey or RGB
    return read_image

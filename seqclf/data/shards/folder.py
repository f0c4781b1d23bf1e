"""A folder of one sub-folder for each class, as a converter's source: pictures or arrays.

DIR/CLASS/anything.png            or .jpg, .jpeg, .npy; the splits are made from them
DIR/train/CLASS/anything.png      with DIR/test and DIR/validation where there are such
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

PICTURES = (".png", ".jpg", ".jpeg")
ARRAYS = (".npy",)


@dataclasses.dataclass(frozen=True)
class ImageOptions:
    """How pictures are read.

    Attributes:
        size: (height, width) to which they are resized; () keeps them.
        channels: 1 (grey) or 3 (RGB); 0: as the first one has it.
    """

    size: tuple[int, ...] = ()
    channels: int = 0


File = tuple[Path, int]  # and its class


def folder_source(
    folder: str,
    *,
    validation: float = 0.1,
    test: float = 0.2,
    seed: int = 0,
    pictures: ImageOptions | None = None,
) -> Source:
    """Returns the examples of a folder; names are held in memory, contents are not.

    Args:
        folder: as this module's first lines say.
        validation: share of the training examples to validate on, where there is no such folder.
        test: the same, to test on.
        seed: of the splits, which have each class by its share, and of the order of the training
            examples: which one comes when depends on seed and names alone.
        pictures: how pictures are read.

    Raises:
        DataError: no such folder, a class without enough examples, or files of two kinds. While it
            is read: a file that is damaged, or whose shape is not that of the first.
    """
    root = Path(folder).expanduser()
    if not root.is_dir():
        raise DataError(f"folder:{folder}: no such folder.")
    roots = {name: root / name for name in SPLITS if (root / name).is_dir()}
    if "train" not in roots:
        roots = {"train": root}
    names = tuple(sorted(p.name for p in _entries(roots["train"]) if p.is_dir()))
    splits = {name: _files(of_split, names) for name, of_split in roots.items()}
    for name, share in (("test", test), ("validation", validation)):
        if name not in splits:
            splits["train"], splits[name] = _hold_out(splits["train"], share, seed, names, root)
    _check(splits, names, root)
    splits["train"].sort(key=lambda file: _draw(seed, file[0], root))
    first = splits["train"][0][0]
    read = _array_reader() if first.suffix in ARRAYS else _picture_reader(first, pictures)
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
        if path.suffix.lower() in PICTURES + ARRAYS
    ]


def _draw(seed: int, path: Path, root: Path) -> bytes:
    """Returns a random key of a file."""
    return hashlib.sha256(f"{seed} {path.relative_to(root).as_posix()}".encode()).digest()


def _hold_out(
    files: list[File], share: float, seed: int, names: tuple[str, ...], root: Path
) -> tuple[list[File], list[File]]:
    kept, held_out = [], []
    for y, of in itertools.groupby(files, key=lambda file: file[1]):
        of_class, name = list(of), names[y]
        count = max(1, round(share * len(of_class)))
        if count >= len(of_class):
            raise DataError(
                f"{root}: too few examples of class {name!r} to hold out a share of {share:g}: "
                f"{len(of_class)} in all. Supply more, or folders train, validation and test."
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
                f"{', '.join(PICTURES + ARRAYS)} files."
            )
    for split, files in splits.items():
        if not files:
            raise DataError(
                f"{root}: no examples for the {split} split. It must hold one folder for each "
                f"class, of {', '.join(PICTURES + ARRAYS)} files."
            )
    kinds = {path.suffix.lower() in ARRAYS for files in splits.values() for path, _ in files}
    if len(kinds) > 1:
        raise DataError(f"{root}: holds pictures and .npy arrays; convert them apart.")


def _part(files: list[File], read: Callable[[Path], np.ndarray]) -> Callable[[], Iterator[Example]]:
    def examples() -> Iterator[Example]:
        for path, y in files:
            yield Example(read(path), y, str(path))

    return examples


def _array_reader() -> Callable[[Path], np.ndarray]:
    def read(path: Path) -> np.ndarray:
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

    return read


def _picture_reader(first: Path, pictures: ImageOptions | None) -> Callable[[Path], np.ndarray]:
    pictures = pictures or ImageOptions()
    mode = {1: "L", 3: "RGB"}.get(pictures.channels)

    def read(path: Path) -> np.ndarray:
        nonlocal mode
        try:
            with Image.open(path) as picture:
                if "A" in picture.getbands() or "transparency" in picture.info:
                    white = Image.new("RGBA", picture.size, "white")
                    picture = Image.alpha_composite(white, picture.convert("RGBA")).convert("RGB")
                mode = mode or ("L" if picture.mode in ("1", "L") else "RGB")
                picture = picture.convert(mode)
                if pictures.size:
                    height, width = pictures.size
                    picture = picture.resize((width, height), Image.Resampling.LANCZOS)
                return np.asarray(picture)
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise DataError(f"{path}: truncated, damaged or no picture ({error}).") from error

    if mode is None:
        read(first)  # the first training example says whether all are grey or RGB
    return read

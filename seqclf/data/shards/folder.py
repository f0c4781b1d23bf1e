"""A folder with one sub-folder for each class as the source of a converter: images or sequences.

DIR/CLASS/anything.png            or another image format, .npy or .csv; the splits are made
DIR/train/CLASS/anything.png      and perhaps DIR/test and DIR/validation (or val, valid, dev)
"""

import hashlib
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from seqclf.config import DataConfig
from seqclf.data.checks import missing_classes
from seqclf.data.folders.keys import check_keys
from seqclf.data.folders.layout import File, FolderLayout, read_layout
from seqclf.data.folders.reading import ImageOptions, file_kind, file_reader
from seqclf.data.shards.examples import Example, Part, Source
from seqclf.data.split_names import SPLITS
from seqclf.errors import DataError

__all__ = ["ImageOptions", "folder_source"]
SHARD_KEYS = ("labels", "split_by", "window", "stride")  # that a converter of folders cannot use


def folder_source(
    folder: str, config: DataConfig | None = None, images: ImageOptions | None = None
) -> Source:
    """Returns the examples of a folder; it holds the names in memory, but not the contents.

    Args:
        folder: a folder of the structure that the module's docstring shows.
        config: the fractions `validation` and `test` of examples that are held out where there is
            no such folder; the columns of CSV files; and `split_seed`, the seed of the splits,
            which keep the proportions of the classes, and of the order of the training examples.
            Seed and names alone decide both.
        images: how image files are read.

    Raises:
        DataError: there is no such folder, a class has too few examples, or there are files of two
            kinds. While the examples are read: a file is damaged, or of another shape than the
            first.
    """
    config = config or DataConfig()
    check_keys(config, SHARD_KEYS)
    root = Path(folder).expanduser()
    if not root.is_dir():
        raise DataError(f"folder:{folder}: no such folder.")
    layout = read_layout(root)
    splits = dict(layout.splits)
    _check_training(splits["train"], layout)
    fractions = {"test": config.test, "validation": config.validation}
    missing = [name for name in fractions if name not in splits]
    for i, name in enumerate(missing):
        later = len(missing) - 1 - i
        splits["train"], splits[name] = _hold_out(
            splits["train"], fractions[name], config.split_seed, layout, later
        )
    _check_kinds(splits, root)
    splits["train"].sort(key=lambda file: _draw(config.split_seed, file[0], root))
    paths = [path for files in splits.values() for path, _ in files]
    kind = file_kind(paths, root)
    # The first file in the order of names has the columns, as in a training on the folder itself.
    first = (layout.splits if kind == "CSV files" else splits)["train"][0][0]
    read = file_reader(first, kind, images, config)
    parts = {name: Part(len(splits[name]), _examples(splits[name], read)) for name in SPLITS}
    labels = {name: [y for _, y in files] for name, files in splits.items()}
    notes = (*layout.notes, *read.notes, *missing_classes(labels, layout.class_names))
    return Source(
        f"folder {root}",
        layout.class_names,
        parts,
        notes=notes,
        feature_names=read.layout.values if read.layout else (),
        table=read.layout,
    )


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
                f"holds image files, .npy arrays or CSV files.{layout.notes_in_words()}"
            )


def _check_kinds(splits: dict[str, list[File]], root: Path) -> None:
    for split, files in splits.items():
        if not files:
            raise DataError(
                f"{root}: no examples for the {split} split. It must hold one folder of image "
                "files, .npy arrays or CSV files for each class."
            )


def _examples(
    files: list[File], read: Callable[[Path], np.ndarray]
) -> Callable[[], Iterator[Example]]:
    def examples() -> Iterator[Example]:
        for path, y in files:
            yield Example(read(path), y, str(path))

    return examples

"""`folder_data`: a folder with one file for each example, in memory."""

import collections
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from seqclf.config import DataConfig
from seqclf.data.axis_order import axis_order_note
from seqclf.data.folders.keys import check_keys
from seqclf.data.folders.labels_file import read_labels
from seqclf.data.folders.layout import FolderLayout, read_layout
from seqclf.data.folders.reading import FileReader, ImageOptions, file_kind, file_reader
from seqclf.data.sequences import RawData, Sequences, padded
from seqclf.data.table_layout import mark
from seqclf.errors import DataError


def folder_data(path: str, config: DataConfig) -> RawData:
    """Returns the examples of a folder, for `load_dataset`.

    Args:
        path: the folder. It holds a folder for each class, perhaps within train, validation and
            test; or the files that `data.labels` names.
        config: the labels file, the columns of CSV files, and the size of images.

    Raises:
        DataError: there is no such folder, it holds no examples, or a file cannot be read.
        ConfigError: a key is given that says nothing about a folder.
    """
    root = Path(path).expanduser()
    if not root.is_dir():
        raise DataError(f"folder:{path}: no such folder.")
    check_keys(config)
    return _by_labels_file(root, config) if config.labels else _by_sub_folders(root, config)


def _by_sub_folders(root: Path, config: DataConfig) -> RawData:
    _check_has_folders(root)
    layout = read_layout(root)
    files = {name: [path for path, _ in part] for name, part in layout.splits.items()}
    _check_filled(files, layout)
    read = _reader(
        files["train"][0], [path for part in files.values() for path in part], config, root
    )
    names = np.array(layout.class_names, object)
    parts = {
        name: _read(files[name], names[[y for _, y in part]], read, root)
        for name, part in layout.splits.items()
    }
    return _raw_data(parts, root, read, (*layout.notes, *read.notes), layout.class_names)


def _check_has_folders(root: Path) -> None:
    if not any(path.is_dir() and not path.name.startswith(".") for path in root.iterdir()):
        raise DataError(
            f"{root}: holds no folder, and a folder stands for a class. Put the files of each "
            "class into a folder of its name, or name a CSV file with the columns file and label "
            "in `data.labels`."
        )


def _check_filled(files: dict[str, list[Path]], layout: FolderLayout) -> None:
    for name, paths in files.items():
        if not paths:
            split = f" for the {name} split" if len(files) > 1 else ""
            raise DataError(
                f"{layout.root}: holds no examples{split}: image files, .npy arrays or CSV files "
                f"in the folders of the classes.{layout.notes_in_words()}"
            )
    counts = collections.Counter(y for _, y in layout.splits["train"])
    for y, name in enumerate(layout.class_names):
        if not counts[y]:
            raise DataError(
                f"{layout.root}: the folder of the class {name!r} holds no example to train on. "
                f"Fill it, or move it away.{layout.notes_in_words()}"
            )


def _by_labels_file(root: Path, config: DataConfig) -> RawData:
    labelled, notes = read_labels(config.labels, root, mark(config.separator))
    paths = [each.path for each in labelled]
    read = _reader(paths[0], paths, config, root)
    part = _read(paths, np.array([each.label for each in labelled], object), read, root)
    columns = {
        "groups": np.array([each.group for each in labelled], object),
        "splits": np.array([each.split for each in labelled], object),
    }
    given: dict[str, Any] = {name: values for name, values in columns.items() if values[0]}
    part = dataclasses.replace(part, **given)
    return _raw_data({"train": part}, root, read, (*notes, *read.notes), None)


def _reader(first: Path, paths: list[Path], config: DataConfig, root: Path) -> FileReader:
    images = ImageOptions(size=config.image_size)
    return file_reader(first, file_kind(paths, root), images, config)


def _raw_data(
    parts: dict[str, Sequences],
    root: Path,
    read: FileReader,
    notes: tuple[str, ...],
    class_names: tuple[str, ...] | None,
) -> RawData:
    return RawData(
        parts,
        f"folder {root}",
        str(root),
        class_names,
        read.layout.values if read.layout else (),
        table=read.layout,
        notes=notes if read.layout else (*notes, *_axis_order(parts["train"])),
    )


def _axis_order(train: Sequences) -> tuple[str, ...]:
    return () if train.lengths is not None else axis_order_note(train.x, "x")


def _read(paths: list[Path], labels: np.ndarray, read: FileReader, root: Path) -> Sequences:
    """Returns the examples of files: stacked if they are images, padded if they are sequences."""
    first = read(paths[0])
    ids = np.array([path.relative_to(root).as_posix() for path in paths], object)
    if first.dtype == np.uint8 or first.ndim == 3:
        x = np.empty((len(paths), *first.shape), first.dtype)
        for i, path in enumerate(paths):
            image = read(path)
            if image.shape != first.shape or image.dtype != first.dtype:
                raise DataError(
                    f"{path}: must be {first.dtype} {list(first.shape)}, as {paths[0]} is. "
                    f"Received: {image.dtype} {list(image.shape)}. `data.image_size` resizes "
                    "image files."
                )
            x[i] = image
        return Sequences(x, labels, ids=ids, owned=True)
    sequences = []
    for path in paths:
        sequences.append(read(path))
        if sequences[-1].shape[1:] != first.shape[1:] or not len(sequences[-1]):
            raise DataError(
                f"{path}: must be [T, {first.shape[1]}] with one time step or more, as {paths[0]} "
                f"has {first.shape[1]} features. Received: {list(sequences[-1].shape)}"
            )
    x, lengths = padded(sequences, str(root))
    return Sequences(x, labels, lengths, ids=ids, owned=True)

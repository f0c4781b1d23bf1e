"""Finds the splits, the classes and the files of a folder, and notes all that is left out."""

import collections
import dataclasses
from pathlib import Path

from seqclf.data.checks import check_class_names
from seqclf.data.image_files import IMAGE_SUFFIXES
from seqclf.data.split_names import SPLIT_OF
from seqclf.errors import DataError

ARRAY_SUFFIXES = (".npy",)
TABLE_SUFFIXES = (".csv",)
EXAMPLES = 3  # how many names of files a note shows

File = tuple[Path, int]  # a path and its class index


@dataclasses.dataclass(frozen=True)
class FolderLayout:
    """The files of a folder.

    Attributes:
        root: the folder.
        class_names: the names of the class folders, in alphabetical order.
        splits: the files of each split that has a folder, class by class; without such folders all
            files are in `train`.
        notes: a line for each kind of file that is left out.
    """

    root: Path
    class_names: tuple[str, ...]
    splits: dict[str, list[File]]
    notes: tuple[str, ...]

    def notes_in_words(self) -> str:
        """Returns the notes as the end of an error message."""
        return "".join(f"\n  {note}" for note in self.notes)


def read_layout(root: Path) -> FolderLayout:
    """Reads the names in a folder and in its sub-folders.

    A folder `train` is a split if it holds folders; otherwise it is a class of that name.

    Raises:
        DataError: two folders are for one split, there is a validation or test folder but none for
            training, or a class of another split is unknown to training.
    """
    readable = _readable_suffixes(root)
    left_out = LeftOut(root)
    folders = _split_folders(root, readable)
    if folders:
        for path in sorted(root.iterdir()):
            if path not in folders.values():
                left_out.add_beside(path)
    else:
        folders = {"train": root}
    names = tuple(sorted(path.name for path in _visible(folders["train"]) if path.is_dir()))
    check_class_names(names, str(root))
    splits = {
        split: _files(folder, names, readable, left_out)
        for split, folder in sorted(folders.items())
    }
    return FolderLayout(root, names, splits, left_out.notes())


def _readable_suffixes(root: Path) -> tuple[str, ...]:
    """Returns the endings of the files that are examples: images and arrays, or CSV files.

    CSV files among images describe them, as a rule, and are left out; they are the examples where
    they are in the majority.
    """
    counts = collections.Counter(
        "table" if suffix in TABLE_SUFFIXES else "other"
        for path in root.rglob("*")
        if (suffix := path.suffix.lower()) in IMAGE_SUFFIXES + ARRAY_SUFFIXES + TABLE_SUFFIXES
        and not path.name.startswith(".")
        and path.parent != root
    )
    if counts["table"] > counts["other"]:
        return TABLE_SUFFIXES
    return IMAGE_SUFFIXES + ARRAY_SUFFIXES


def _is_readable(path: Path, readable: tuple[str, ...]) -> bool:
    """Returns whether a file is of a format that is read, by the ending of its name."""
    return path.suffix.lower() in readable and not path.is_dir()


def _visible(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if not path.name.startswith(".")]


def _split_folders(root: Path, readable: tuple[str, ...]) -> dict[str, Path]:
    """Returns the folder of each split, or {} if the folder holds classes instead of splits."""
    folders = [path for path in _visible(root) if path.is_dir()]
    classes_beside = any(
        path.name.lower() not in SPLIT_OF
        and any(_is_readable(file, readable) for file in _visible(path))
        for path in folders
    )
    found: dict[str, Path] = {}
    for path in sorted(folders):
        split = SPLIT_OF.get(path.name.lower())
        if split is None or not _holds_classes(path, classes_beside, readable):
            continue
        if split in found:
            raise DataError(
                f"{root}: {found[split].name}/ and {path.name}/ are both folders for {split}. "
                "Leave one of them."
            )
        found[split] = path
    if found and "train" not in found:
        raise DataError(
            f"{root}: holds {', '.join(f'{path.name}/' for path in found.values())} with folders "
            "of classes, but no train/ with folders of the same classes."
        )
    return found


def _holds_classes(folder: Path, classes_beside: bool, readable: tuple[str, ...]) -> bool:
    """Returns whether a folder with the name of a split is one: it holds folders.

    If it holds examples too, and there are classes beside it, it is one of these classes.
    """
    inside = _visible(folder)
    has_folders = any(path.is_dir() for path in inside)
    return has_folders and not (
        classes_beside and any(_is_readable(path, readable) for path in inside)
    )


def _files(
    split: Path, names: tuple[str, ...], readable: tuple[str, ...], left_out: "LeftOut"
) -> list[File]:
    """Returns the files of a split, class by class, sorted by name."""
    files: list[File] = []
    for path in sorted(split.iterdir()):
        if path.name.startswith(".") or not path.is_dir():
            left_out.add(path, "beside the folders of the classes")
        elif path.name not in names:
            raise DataError(f"{path}: the training examples have no class of that name.")
        else:
            index = names.index(path.name)
            files += [(file, index) for file in _class_files(path, readable, left_out)]
    return sorted(files, key=lambda file: (file[1], file[0]))


def _class_files(folder: Path, readable: tuple[str, ...], left_out: "LeftOut") -> list[Path]:
    found = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            left_out.add(path, "hidden")
        elif path.is_dir():
            left_out.add(path, "in a folder inside the folder of a class")
        elif _is_readable(path, readable):
            found.append(path)
        else:
            left_out.add(path, "of a format that is not read")
    return found


class LeftOut:
    """The files that are left out, by the reason.

    Args:
        root: the folder to which the names in notes are relative.
    """

    def __init__(self, root: Path):
        self._root = root
        self._files: dict[str, list[Path]] = collections.defaultdict(list)

    def add(self, path: Path, reason: str) -> None:
        """Adds a file, or all files below a folder."""
        reason = "hidden" if path.name.startswith(".") else reason
        self._files[reason] += (
            [file for file in sorted(path.rglob("*")) if file.is_file()]
            if path.is_dir()
            else [path]
        )

    def add_beside(self, path: Path) -> None:
        """Adds what lies beside the folders of the splits."""
        if not path.is_dir():
            self.add(path, "beside the folders of the splits")
        elif path.name.lower() in SPLIT_OF:
            self.add(path, f"in {path.name}/, which holds no folders of classes")
        else:
            self.add(path, f"in {path.name}/, which is no folder of a split")

    def notes(self) -> tuple[str, ...]:
        """Returns a line for each reason: how many files, and some of their names."""
        lines = []
        for reason, files in self._files.items():
            if not files:
                continue
            names = ", ".join(str(file.relative_to(self._root)) for file in files[:EXAMPLES])
            such_as = f"{names}, …" if len(files) > EXAMPLES else names
            counted = f"{len(files):,} file{'s' * (len(files) > 1)}"
            endings = ""
            if reason == "of a format that is not read":
                endings = f" ({', '.join(_endings(files))})"
            lines.append(f"left out: {counted} {reason}{endings}: {such_as}")
        return tuple(lines)


def _endings(files: list[Path]) -> list[str]:
    counts = collections.Counter(file.suffix.lower() or "no ending" for file in files)
    return [f"{suffix} {count:,}" for suffix, count in counts.most_common(6)]

"""`TsHeader`: what the lines before `@data` of a `.ts` file say."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from seqclf.errors import DataError

COMMENTS = ("#", "%")


@dataclass(frozen=True)
class TsHeader:
    """The header of a `.ts` file.

    Attributes:
        class_names: the class names, in the order of `@classLabel`.
        dimensions: the number of dimensions that `@dimensions` or `@univariate true` states; 0: the
            header does not say.
        equal_length: whether `@equalLength true` states that all cases are equally long.
        line: the number of the line `@data`.
    """

    class_names: tuple[str, ...]
    dimensions: int
    equal_length: bool
    line: int


def read_header(lines: Iterator[tuple[int, str]], file: Path) -> TsHeader:
    """Reads lines up to `@data`.

    Args:
        lines: the lines of the file with their numbers; those of the header are taken.
        file: the file, for messages.

    Raises:
        DataError: `@data` is missing, a tag has a value that it cannot have, there are no class
            labels, or cases have time stamps or a number in the place of a class.
    """
    tags: dict[str, tuple[int, list[str]]] = {}
    for number, line in lines:
        if line.startswith(COMMENTS):
            continue
        tag, *values = line.split()
        if not tag.startswith("@"):
            raise DataError(
                f"{file}, line {number}: a .ts file has a header that ends with the line @data. "
                f"Received: {line[:40]!r} before it{_other_format(file)}"
            )
        if tag.lower() == "@data":
            return _header(tags, number, file)
        if tag.lower() in ("@relation", "@attribute"):
            raise DataError(
                f"{file}, line {number}: is an .arff file. Take the file of the same name that "
                f"ends in .ts. Received: {line[:40]!r}"
            )
        tags[tag.lower()] = (number, values)
    raise DataError(f"{file}: has no line @data, which stands before the cases of a .ts file.")


def _other_format(file: Path) -> str:
    return ". Read a .tsv file of the archive as tsv:TRAIN,TEST" if file.suffix == ".tsv" else ""


def _header(tags: dict[str, tuple[int, list[str]]], line: int, file: Path) -> TsHeader:
    if _is_true(tags, "@timestamps", file):
        raise DataError(
            f"{file}, line {tags['@timestamps'][0]}: time stamps (pairs of a time and a value) are "
            "not read. Save the values alone, with @timeStamps false; or as a table with a column "
            "for the time, which csv:FILE reads."
        )
    if _is_true(tags, "@targetlabel", file):
        raise DataError(
            f"{file}, line {tags['@targetlabel'][0]}: the file gives a number to predict "
            "(@targetLabel true: regression). A classifier needs classes: @classLabel true NAME …"
        )
    names = _class_names(tags, file)
    dimensions = _dimensions(tags, file)
    return TsHeader(names, dimensions, _is_true(tags, "@equallength", file), line)


def _class_names(tags: dict[str, tuple[int, list[str]]], file: Path) -> tuple[str, ...]:
    number, values = tags.get("@classlabel", (0, []))
    if not number or not _is_true({"@classlabel": (number, values[:1])}, "@classlabel", file):
        found = f"line {number}: @classLabel false" if number else "no line @classLabel"
        raise DataError(
            f"{file}: the cases have no classes. The header must list them: @classLabel true "
            f"NAME NAME … Received: {found}"
        )
    if len(values) < 2:
        raise DataError(
            f"{file}, line {number}: @classLabel true must be followed by the names of the classes."
        )
    return tuple(values[1:])


def _dimensions(tags: dict[str, tuple[int, list[str]]], file: Path) -> int:
    number, values = tags.get("@dimensions", tags.get("@dimension", (0, [])))
    if not number:
        return int(_is_true(tags, "@univariate", file))
    if len(values) != 1 or not values[0].isdecimal() or int(values[0]) < 1:
        raise DataError(
            f"{file}, line {number}: @dimensions must be a number of 1 or more. "
            f"Received: {' '.join(values)!r}"
        )
    return int(values[0])


def _is_true(tags: dict[str, tuple[int, list[str]]], tag: str, file: Path) -> bool:
    """Returns the value of a tag that is true or false; one that is missing is false."""
    number, values = tags.get(tag, (0, ["false"]))
    if len(values) != 1 or values[0].lower() not in ("true", "false"):
        raise DataError(
            f"{file}, line {number}: {tag} must be true or false. Received: {' '.join(values)!r}"
        )
    return values[0].lower() == "true"

"""Reads the text of a source: a file, a folder of files, or the book that comes with seqclf."""

import codecs
import gzip
import zlib
from importlib.resources import files
from pathlib import Path

from seqclf.errors import ConfigError, DataError

BOOK = "timemachine"  # H. G. Wells, The Time Machine (1895); he died in 1946: public domain
SUFFIXES = (".txt", ".text", ".md")  # the files of a folder that are read, or these and .gz
MARKS = {  # byte order marks, the longer ones first: one begins like another
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def read_text(path: str, encoding: str) -> tuple[str, str]:
    """Returns a text, and one line that says where it comes from.

    Line ends are `\\n`, whatever the files have. The texts of several files are joined by a line
    end, in the order of their names.

    Args:
        path: a file, a folder, paths separated by commas, or `timemachine`. A file whose name ends
            in `.gz` is decompressed. Hidden files of a folder are not read.
        encoding: the encoding of the files, such as utf-8 or latin-1.

    Raises:
        ConfigError: the encoding is not known.
        DataError: a file cannot be read, is no text, or all of them are empty.
    """
    _check_encoding(encoding)
    if path == BOOK and not Path(path).exists():
        packed = files("seqclf.data.text").joinpath("timemachine.txt.gz").read_bytes()
        return gzip.decompress(packed).decode("utf-8"), "H. G. Wells, The Time Machine (1895)"
    found = [file for part in _paths(path) for file in _files(part)]
    texts = [_decoded(file, _content(file), encoding) for file in found]
    text = "\n".join(texts).replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise DataError(f"{path}: the text is empty: it has nothing but white space.")
    return text, f"text of {path}" + (f", {len(found)} files" if len(found) > 1 else "")


def _check_encoding(encoding: str) -> None:
    try:
        "".encode(encoding)
    except (LookupError, ValueError) as error:
        raise ConfigError(
            "`data.encoding` must be an encoding that Python knows, such as utf-8, latin-1 or "
            f"cp1252. Received: {encoding!r:.80}"
        ) from error


def _paths(path: str) -> list[Path]:
    """Returns the files and folders that a path names.

    Raises:
        ConfigError: one of several has no name.
    """
    if Path(path).expanduser().exists():  # its name may have a comma
        return [Path(path).expanduser()]
    parts = [part.strip() for part in path.split(",")]
    if not all(parts):
        raise ConfigError(
            "`data.source` text:FILE,FILE must name a file or a folder before and after each "
            f"comma. Received: {path!r:.200}"
        )
    return [Path(part).expanduser() for part in parts]


def _files(path: Path) -> list[Path]:
    """Returns the files of a path, which may be a folder.

    Raises:
        DataError: there are none.
    """
    if not path.is_dir():
        return [path]
    found = sorted(f for f in path.rglob("*") if f.is_file() and _is_text(f.relative_to(path)))
    if not found:
        raise DataError(
            f"{path} has no text: the files that are read end in {', '.join(SUFFIXES)}, or in one "
            "of these and .gz. Name other files one by one, separated by commas."
        )
    return found


def _is_text(file: Path) -> bool:
    """Returns whether a file of a folder is read, by its path in the folder."""
    if any(part.startswith(".") for part in file.parts):  # hidden
        return False
    unpacked = file.with_suffix("") if file.suffix.lower() == ".gz" else file
    return unpacked.suffix.lower() in SUFFIXES


def _content(file: Path) -> bytes:
    try:
        content = file.read_bytes()
        return gzip.decompress(content) if file.suffix.lower() == ".gz" else content
    except FileNotFoundError as error:
        raise DataError(
            f"There is no file {file}. `data.source` text:{BOOK} reads the book that comes with "
            "seqclf."
        ) from error
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"{file} cannot be read: {reason}.") from error


def _decoded(file: Path, content: bytes, encoding: str) -> str:
    """Returns the text of a file's bytes.

    Raises:
        DataError: they are not in that encoding, or the file is no text.
    """
    _check_mark(file, content, encoding)
    try:
        text = content.decode(encoding).removeprefix("\ufeff")
        text.encode()  # some encodings have half characters (surrogates), which UTF-8 lacks
    except UnicodeError as error:
        where = ""
        if isinstance(error, UnicodeDecodeError) and error.start < len(content):
            where = f": byte {error.start:,} (0x{content[error.start]:02x}) cannot be read"
        raise DataError(
            f"{file} is not {encoding}{where}. "
            + (
                "It is no text: it has null bytes."
                if b"\0" in content
                else "Name the file's encoding by `data.encoding`, such as latin-1 or cp1252."
            )
        ) from error
    if "\0" in text:
        raise DataError(
            f"{file} is no text: it has a null byte at {content.find(0):,}. A text with two bytes "
            "for each character needs `data.encoding` utf-16-le or utf-16-be."
        )
    return text


def _check_mark(file: Path, content: bytes, encoding: str) -> None:
    """Checks that a byte order mark, or its absence, fits the encoding.

    Raises:
        DataError: it does not.
    """
    name = codecs.lookup(encoding).name
    marked = next((MARKS[mark] for mark in MARKS if content.startswith(mark)), None)
    if marked and not name.startswith(marked):
        raise DataError(
            f"{file} begins with the byte order mark of {marked}: set `data.encoding` to {marked}. "
            f"Received: {encoding!r:.80}"
        )
    if content and not marked and name in MARKS.values():
        raise DataError(
            f"{file} has no byte order mark, so {name} does not say which byte of a character is "
            f"the first: set `data.encoding` to {name}-le or {name}-be, or to another encoding. "
            f"Received: {encoding!r:.80}"
        )

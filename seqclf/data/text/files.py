"""Reads the text of a source: a file, a folder of files, or the book that comes with seqclf."""

import gzip
import zlib
from importlib.resources import files
from pathlib import Path

from seqclf.errors import ConfigError, DataError

BOOK = "timemachine"  # H. G. Wells, The Time Machine (1895); he died in 1946: public domain
SUFFIXES = (".txt", ".text", ".md", ".gz")  # the files of a folder that are read


def read_text(path: str, encoding: str) -> tuple[str, str]:
    """Returns a text, and one line that says where it comes from.

    Line ends are `\\n`, whatever the files have. The texts of several files are joined by a line
    end, in the order of their names.

    Args:
        path: a file, a folder, paths separated by commas, or `timemachine`. A file whose name ends
            in `.gz` is decompressed.
        encoding: the encoding of the files, such as utf-8 or latin-1.

    Raises:
        ConfigError: the encoding is not known.
        DataError: a file cannot be read, is no text, or all of them are empty.
    """
    _check_encoding(encoding)
    if path == BOOK and not Path(path).exists():
        packed = files("seqclf.data.text").joinpath("timemachine.txt.gz").read_bytes()
        return gzip.decompress(packed).decode("utf-8"), "H. G. Wells, The Time Machine (1895)"
    found = [file for part in path.split(",") for file in _files(Path(part.strip()).expanduser())]
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
            f"cp1252. Received: {encoding!r}"
        ) from error


def _files(path: Path) -> list[Path]:
    """Returns the files of a path, which may be a folder.

    Raises:
        DataError: there are none.
    """
    if not path.is_dir():
        return [path]
    found = sorted(f for f in path.rglob("*") if f.is_file() and f.suffix.lower() in SUFFIXES)
    if not found:
        raise DataError(
            f"{path} has no text: the files that are read end in {', '.join(SUFFIXES)}."
        )
    return found


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
    try:
        text = content.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{file} is not {encoding}: byte {error.start:,} (0x{content[error.start]:02x}) cannot "
            "be read. Name the file's encoding by `data.encoding`, such as latin-1 or cp1252."
        ) from error
    if "\0" in text:
        raise DataError(
            f"{file} is no text: it has a null byte at {content.find(0):,}. A text with two bytes "
            "for each character needs `data.encoding` utf-16."
        )
    return text

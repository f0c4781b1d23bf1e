"""Texts are read from files, folders and compressed files, in the encoding that is named."""

import gzip
import hashlib

import pytest

from seqclf.data.text.files import read_text
from seqclf.errors import ConfigError, DataError


def test_the_book_is_the_copy_that_the_field_pins():
    text, origin = read_text("timemachine", "utf-8")
    digest = hashlib.sha1(text.encode()).hexdigest()
    assert digest == "090b5e7e70c295757f55df93cb0a180b9691891a"
    assert len(text.encode()) == 178_979 and "Wells" in origin


def test_files_and_folders_are_read_in_the_order_of_their_names(tmp_path):
    (tmp_path / "b.txt").write_bytes(b"zwei\r\nZeilen")
    (tmp_path / "a.txt").write_bytes("\ufeffeins".encode())
    (tmp_path / "c.txt.gz").write_bytes(gzip.compress(b"drei"))
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    assert read_text(str(tmp_path), "utf-8")[0] == "eins\nzwei\nZeilen\ndrei"
    both = f"{tmp_path / 'c.txt.gz'},{tmp_path / 'a.txt'}"
    assert read_text(both, "utf-8")[0] == "drei\neins"


def test_another_encoding_is_read(tmp_path):
    file = tmp_path / "text.txt"
    file.write_bytes("Ärger".encode("cp1252"))
    assert read_text(str(file), "cp1252")[0] == "Ärger"
    with pytest.raises(DataError, match=r"text.txt is not utf-8: byte 0 \(0xc4\).*data.encoding"):
        read_text(str(file), "utf-8")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \n\t\n", "is empty"),
        (b"text\0\0text", "null byte at 4"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path, content, message):
    file = tmp_path / "text.txt"
    file.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_text(str(file), "utf-8")


def test_what_cannot_be_read_is_named(tmp_path):
    with pytest.raises(DataError, match="There is no file .*none.txt"):
        read_text(str(tmp_path / "none.txt"), "utf-8")
    (tmp_path / "bad.gz").write_bytes(b"no gzip")
    with pytest.raises(DataError, match=r"bad.gz cannot be read"):
        read_text(str(tmp_path / "bad.gz"), "utf-8")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="has no text"):
        read_text(str(tmp_path / "empty"), "utf-8")
    with pytest.raises(ConfigError, match="data.encoding.*Received: 'klingon'"):
        read_text("timemachine", "klingon")

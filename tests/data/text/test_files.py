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


def test_of_a_folder_hidden_files_and_other_compressed_files_are_left_out(tmp_path):
    (tmp_path / "a.md").write_text("eins")
    (tmp_path / ".draft.txt").write_text("hidden")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "b.txt").write_text("hidden")
    (tmp_path / "table.csv.gz").write_bytes(gzip.compress(b"1,2"))
    assert read_text(str(tmp_path), "utf-8") == ("eins", f"text of {tmp_path}")


def test_commas_part_paths_but_not_the_name_of_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "b.txt").write_text("zwei")
    (tmp_path / "a,b.txt").write_text("eins")
    assert read_text("a,b.txt", "utf-8")[0] == "eins"
    assert read_text("b.txt, b.txt", "utf-8")[0] == "zwei\nzwei"
    for wrong in ("b.txt,", ",b.txt"):
        with pytest.raises(ConfigError, match=f"before and after each comma. Received: '{wrong}'"):
            read_text(wrong, "utf-8")


def test_another_encoding_is_read(tmp_path):
    file = tmp_path / "text.txt"
    file.write_bytes("Ärger".encode("cp1252"))
    assert read_text(str(file), "cp1252")[0] == "Ärger"
    with pytest.raises(DataError, match=r"text.txt is not utf-8: byte 0 \(0xc4\).*data.encoding"):
        read_text(str(file), "utf-8")


@pytest.mark.parametrize(
    ("content", "encoding", "message"),
    [
        (b"", "utf-8", "is empty"),
        (b" \n\t\n", "utf-8", "is empty"),
        (b"text\0\0text", "utf-8", "null byte at 4"),
        (b"\x89PNG\0\0", "utf-8", r"not utf-8: byte 0 \(0x89\) cannot be read. It is no text"),
        ("text".encode("utf-16"), "utf-8", "byte order mark of utf-16: set `data.encoding` to utf"),
        ("text".encode("utf-32"), "latin-1", "byte order mark of utf-32.*Received: 'latin-1'"),
        (b"text", "UTF-16", "has no byte order mark.*utf-16-le or utf-16-be"),
        ("text".encode("utf-16")[:-1], "utf-16", r"text.txt is not utf-16: byte 8 \(0x74\)"),
        (b"text-.", "punycode", "text.txt is not punycode. Name"),
        (rb"\ud800", "unicode_escape", "text.txt is not unicode_escape. Name"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path, content, encoding, message):
    file = tmp_path / "text.txt"
    file.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_text(str(file), encoding)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-8-sig"])
def test_byte_order_marks_are_no_part_of_the_text(tmp_path, encoding):
    (tmp_path / "text.txt").write_bytes(
        "\ufeffÄrger".encode(encoding.replace("utf-8-sig", "utf-8"))
    )
    assert read_text(str(tmp_path / "text.txt"), encoding)[0] == "Ärger"


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

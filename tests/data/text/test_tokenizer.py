"""Tokens by TensorFlow's operations are those of Python's `re` and `str`."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqclf.data.text.files import read_text
from seqclf.data.text.token_spec import TokenSpec
from seqclf.data.text.tokenizer import Vocabulary, stored_name, tokens_of

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)


def tokens(text, *spec):
    return [token.decode() for token in tokens_of([text], TokenSpec(*spec)).to_list()[0]]


def test_the_textbooks_reading_of_the_book():
    """170,580 characters of 28 kinds with <unk>: the figures that "Dive into Deep Learning" has."""
    text, _ = read_text("timemachine", "utf-8")
    lines = [re.sub("[^A-Za-z]+", " ", line).strip().lower() for line in text.split("\n")]
    read = tokens(text, "characters", True, True)
    assert "".join(read) == "".join(lines)
    assert len(read) == 170_580 and len(set(read)) == 27


def test_line_ends_are_kept_as_spaces():
    text = "One of\n\n  two, three;\nFOUR"
    assert "".join(tokens(text, "characters", True, False)) == "one of two three four"
    assert "".join(tokens(text, "characters", True, True)) == "one oftwo threefour"
    assert tokens("a\nb") == ["a", "\n", "b"]


def test_line_ends_are_dropped_with_the_white_space_beside_them():
    assert "".join(tokens("a b \n\n \t c\r\nd", "characters", False, True)) == "a bcd"
    assert tokens("a b\nc d", "words", False, True) == ["a", "b", "c", "d"]


@given(TEXTS)
@settings(deadline=None, max_examples=60)
def test_characters_and_bytes_lose_nothing(text):
    assert tokens(text) == list(text)
    as_bytes = tokens_of([text], TokenSpec("bytes")).to_list()[0]
    assert b"".join(as_bytes) == text.encode() and all(len(each) == 1 for each in as_bytes)


def test_words_and_punctuation():
    said = "Don't stop—it's 4.5 o’clock, Ärger!\nNext"
    expected = re.findall(r"[\w'’]+|[^\w\s]", said)
    assert tokens(said, "words") == expected


@pytest.mark.parametrize("kind", ["characters", "bytes", "words"])
def test_a_vocabulary_goes_there_and_back(kind):
    spec = TokenSpec(kind)
    text = "to be or not – to be"
    found = sorted(set(tokens_of([text], spec).to_list()[0]))
    vocabulary = Vocabulary(["<unk>", *(stored_name(token, spec) for token in found)], spec)
    indices = vocabulary.indices_of([text, "be"])
    assert indices.shape[0] == 2 and int(indices.flat_values.numpy().min()) > 0
    assert [each.decode() for each in vocabulary.text_of(indices).numpy()] == [text, "be"]
    unknown = vocabulary.indices_of(["Ω"]).to_list()[0]
    assert unknown == [0] * len(unknown) and unknown


def test_the_name_of_the_unknown_token_is_no_token_of_the_text():
    vocabulary = Vocabulary(["<unk>", "a"], TokenSpec())
    assert vocabulary.indices_of(["<unk>"]).to_list() == [[0] * 5]

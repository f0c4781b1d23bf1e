"""A text becomes three contiguous parts; the vocabulary is that of the training part."""

import numpy as np
import pytest

import seqclf
from seqclf.data.spec import DatasetSpec
from seqclf.data.text.source import CONTEXT
from seqclf.errors import ConfigError, DataError

TEXT = "the quick brown fox jumps over the lazy dog. " * 40


@pytest.fixture
def source(tmp_path):
    file = tmp_path / "text.txt"
    file.write_text(TEXT + "€" * 200)
    return f"text:{file}"


def test_the_parts_follow_each_other(source):
    dataset = seqclf.load_dataset(source, window=10, validation=0.1, test=0.2)
    parts = [split.tokens for _, split in dataset.splits()]
    names = np.array(dataset.spec.class_names)
    joined = "".join(np.concatenate([names[part] for part in parts]))
    assert joined == TEXT + "<unk>" * 200
    assert [len(part) for part in parts] == [1440, 160, 400]
    np.testing.assert_array_equal(dataset.validation.before, parts[0][-CONTEXT:])
    np.testing.assert_array_equal(dataset.test.before, np.concatenate(parts[:2])[-CONTEXT:])
    assert "200 tokens of the validation and test parts (35.71%) are <unk>" in dataset.notes
    assert dataset.spec.class_names[:3] == ("<unk>", " ", "o")  # the most frequent first


def test_the_spec_goes_through_json(source):
    spec = seqclf.load_dataset(source, tokens="words", window=4).spec
    assert DatasetSpec.from_json(spec.to_json()) == spec
    assert spec.is_text and not spec.is_image and spec.class_names[1] == "the"


def test_training_on_the_beginning_leaves_the_other_parts_as_they_are(source):
    whole = seqclf.load_dataset(source, window=10)
    cut = seqclf.load_dataset(source, window=10, max_tokens=300)
    np.testing.assert_array_equal(cut.train.tokens, whole.train.tokens[:300])
    np.testing.assert_array_equal(cut.test.tokens, whole.test.tokens)
    assert any("first 300 of" in note for note in cut.notes)
    assert cut.fingerprint() != whole.fingerprint()


def test_rare_tokens_can_be_left_out(source):
    dataset = seqclf.load_dataset(source, tokens="words", window=4, vocabulary=3)
    assert dataset.spec.class_names == ("<unk>", "the", ".")
    assert any("8 rarer words are read as <unk>" in note for note in dataset.notes)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": 800}, "training part must have two windows of 800.*smaller `data.window`.$"),
        ({"test": 0}, "test part must have.* Received: 0 of .*, or a larger `data.test`.$"),
        ({"max_tokens": 69}, "training part.* Received: 69 of .*, or a larger `data.max_tokens`.$"),
        ({"split_by": "group"}, "`data.split_by` cannot be used for text.*Received: 'group'"),
        ({"normalize": "none"}, "`data.normalize` cannot be used for text"),
        ({"encoding": "morse"}, "`data.encoding` must be an encoding"),
        ({"vocabulary": 1}, "`data.vocabulary` counts the unknown token too.*Received: 1"),
    ],
)
def test_what_text_cannot_have_is_refused(source, options, message):
    with pytest.raises((DataError, ConfigError), match=message):
        seqclf.load_dataset(source, **options)


def test_one_line_is_too_short(tmp_path):
    file = tmp_path / "line.txt"
    file.write_text("One line only.")
    with pytest.raises(DataError, match="must have two windows of 35 tokens.*Received: 10"):
        seqclf.load_dataset(f"text:{file}")


def test_too_many_different_tokens_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("seqclf.data.text.source.MAX_VOCABULARY", 20)
    file = tmp_path / "words.txt"
    file.write_text(" ".join(f"word{i}" for i in range(100)))
    with pytest.raises(DataError, match="72 different words, more than 20.*data.vocabulary"):
        seqclf.load_dataset(f"text:{file}", tokens="words", window=2)


def test_a_path_without_its_kind_is_explained(tmp_path):
    with pytest.raises(ConfigError, match="Try 'text:book.txt'"):
        seqclf.load_dataset("book.txt")

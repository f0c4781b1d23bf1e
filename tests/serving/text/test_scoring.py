"""`predict` with a language model: a row for each token, against the probabilities of Keras."""

import json

import keras
import numpy as np
import pandas as pd
import pytest
from language_models import CHARACTERS, language_model, spec_of

from seqclf.errors import DataError
from seqclf.serving.text.asking import ExportedTextModel
from seqclf.serving.text.export import write_text_version
from seqclf.serving.text.score_table import write_scores
from seqclf.serving.text.scoring import scored_files

TEXT = "a tear, on\n"


@pytest.fixture(scope="module")
def model():
    return language_model(spec_of())


@pytest.fixture(scope="module")
def folder(tmp_path_factory, model):
    folder = tmp_path_factory.mktemp("scoring")
    (folder / "export/1").mkdir(parents=True)
    write_text_version(folder / "export/1", model, spec_of(), {}, [b"the rain"])
    (folder / "a.txt").write_text(TEXT)
    (folder / "b.txt").write_bytes(b"\xef\xbb\xbfno\r\n")  # as editors of Windows write it
    return folder


@pytest.fixture(scope="module")
def scorer(folder):
    return ExportedTextModel(folder / "export")


def by_keras(model, text):
    """The probability of each token but the first, by a call of the Keras model for each prefix."""
    ids = np.array([CHARACTERS.index(c) if c in CHARACTERS else 0 for c in text])
    logits = [model(ids[None, : t + 1])[0, -1] for t in range(len(ids) - 1)]
    return [float(keras.ops.softmax(each)[i]) for each, i in zip(logits, ids[1:], strict=True)]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_row_for_each_token(folder, scorer, model, ending):
    paths, out = [str(folder / name) for name in ("a.txt", "b.txt")], folder / f"o.{ending}"
    lines = write_scores(scored_files(paths, scorer), out)
    table = pd.read_csv(out, keep_default_na=True) if ending == "csv" else pd.read_parquet(out)
    assert list(table) == ["id", "step", "token", "probability", "surprise"]
    assert table["id"].tolist() == [paths[0]] * len(TEXT) + [paths[1]] * 3
    assert table["step"].tolist() == [*range(len(TEXT)), 0, 1, 2]
    assert "".join(table["token"]) == TEXT + "no\n"
    first = table["step"] == 0
    assert table["probability"].isna().equals(first) and table["surprise"].isna().equals(first)
    expected = by_keras(model, TEXT) + by_keras(model, "no\n")
    np.testing.assert_allclose(table["probability"][~first], expected, rtol=1e-4)
    np.testing.assert_allclose(table["surprise"][~first], -np.log2(expected), rtol=1e-4)
    bits = -np.log2(by_keras(model, "no\n")).mean()
    assert lines[0] == f"Wrote      {out}: {len(TEXT) + 3} rows"
    assert lines[2].startswith(f"{paths[1]}  {bits:.4f} bits per character, perplexity ")
    assert lines[2].endswith(f"{2**bits:.4g}, 3 tokens")


def test_the_same_as_json(folder, scorer, model):
    (file,) = scored_files([str(folder / "b.txt")], scorer)
    said = json.loads(json.dumps(file.as_json()))
    assert said["input"] == str(folder / "b.txt") and said["tokens"] == ["n", "o", "\n"]
    assert said["probabilities"][0] is None
    np.testing.assert_allclose(said["probabilities"][1:], by_keras(model, "no\n"), rtol=1e-4)
    assert said["bits_per_character"] == file.scored.bits_per_character


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"t", r"wrong.txt: a text must have 2 to 10,000 characters.*Received: 1 characters"),
        (b"t" * 10_001, "Received: 10,001 characters. Divide a longer one into several files"),
        (b"t\0e", "is no text: it has a null byte at 1"),
    ],
)
def test_texts_that_cannot_be_scored(folder, scorer, content, message):
    path = folder / "wrong.txt"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        list(scored_files([str(path)], scorer))
    with pytest.raises(DataError, match=r"is a folder: name the text files in it"):
        list(scored_files([str(folder)], scorer))

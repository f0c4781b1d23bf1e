"""The LiteRT file: it answers what the model answers, and is refused where it cannot."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from example_specs import IMAGES, VARYING, examples

from seqclf import build_classifier
from seqclf.config import resolve
from seqclf.data.normalization import as_sequences
from seqclf.data.permutation import with_order
from seqclf.errors import ConfigError, ExportError
from seqclf.serving import litert
from seqclf.serving.file_names import LITERT
from seqclf.serving.litert import run_litert, write_litert


def build(spec, **model):
    return build_classifier(resolve({"model": {"units": [8, 6], **model}}), spec)


@pytest.mark.parametrize("kind", ["float32", "int8"])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("reading", ["rows", "columns", "permuted"])
def test_it_answers_what_the_model_answers(tmp_path, kind, dtype, reading):
    spec = with_order(dataclasses.replace(IMAGES, reading=reading), seed=0)
    model = build(spec, layer_norm=True)
    write_litert(tmp_path, model, spec, dtype, kind, examples(spec, 3))
    x = examples(spec, 20, seed=1)
    answers = run_litert((tmp_path / LITERT).read_bytes(), x.astype(dtype))
    expected = tf.nn.softmax(model(as_sequences(x, spec)))
    np.testing.assert_allclose(answers, expected, atol={"float32": 1e-5, "int8": 0.05}[kind])


def test_what_cannot_be_laid_out_is_refused(tmp_path):
    for spec in (VARYING, dataclasses.replace(IMAGES, raw_shape=(129, 5))):
        with pytest.raises(ConfigError, match="--litert is for sequences that all have one length"):
            write_litert(tmp_path, build(spec), spec, "float32", "float32", examples(spec, 1))


def test_one_that_answers_something_else_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr(litert, "run_litert", lambda content, x: np.full((len(x), 3), 0.9))
    with pytest.raises(ExportError, match="away from the model's probabilities, more than 0.0001"):
        write_litert(tmp_path, build(IMAGES), IMAGES, "uint8", "float32", examples(IMAGES, 2))
    assert not (tmp_path / LITERT).exists()

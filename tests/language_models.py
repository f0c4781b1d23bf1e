"""Small language models with random weights, and runs of them that no training has made."""

import dataclasses

import keras
import numpy as np

from seqclf.config import resolve, to_json
from seqclf.data.dataset import DatasetSpec
from seqclf.data.text.token_spec import TokenSpec
from seqclf.models.language_model import build_language_model
from seqclf.storage.run_directory import Run

CHARACTERS = ("<unk>", " ", *"etaoinshrd", "\n", "é")
WORDS = ("<unk>", "the", ",", "time", "machine", "’tis")
BYTES = ("<unk>", " ", *"etaoin", "Ã", "©")  # the two bytes of é, as characters of their numbers


def spec_of(kind="characters", **options):
    names = {"characters": CHARACTERS, "words": WORDS, "bytes": BYTES}[kind]
    tokens = TokenSpec(kind, **options)
    return DatasetSpec("text:t", "rows", (5, 1), "int32", names, tokens=tokens)


def language_model(spec, **options):
    """Returns a model whose probabilities differ clearly."""
    keras.utils.set_random_seed(1)
    config = resolve({"model": {"units": [6], **options}, "data": {"source": "text:t"}})
    model = build_language_model(config, spec)
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(0, 1, w.shape).astype(w.dtype) for w in model.get_weights()])
    return model


def untrained_run(path, spec, **options):
    """Writes a run directory with the model of `language_model`."""
    run = Run(path)
    run.path.mkdir(parents=True)
    config = resolve({"model": {"units": [6], **options}, "data": {"source": spec.source}})
    run.config.write_text(to_json(config))
    run.dataset.write_text(dataclasses.replace(spec).to_json())
    language_model(spec, **options).save(run.model)
    return run

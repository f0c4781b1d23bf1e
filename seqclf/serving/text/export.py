"""Exports a language model as a version of a SavedModel that needs neither seqclf nor Keras.

A version holds the same files as that of a classifier (see `seqclf.serving.export`), but
`assets/vocabulary.json`, the tokens by their indices, instead of the class names.
"""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from seqclf.console.progress import announce
from seqclf.data.dataset import DatasetSpec
from seqclf.serving.batching import BATCH_SIZES, batching_params
from seqclf.serving.file_names import BATCHING, METADATA, WARMUP
from seqclf.serving.publication import disk_errors, publish_checked
from seqclf.serving.publish import staging
from seqclf.serving.saved_functions import save_functions
from seqclf.serving.text.card import write_text_card
from seqclf.serving.text.examples import text_feed, texts_from
from seqclf.serving.text.goldens import text_goldens
from seqclf.serving.text.signatures import TextSignatures
from seqclf.serving.warmup import prediction_log

DEFAULT = "serving_default"
VOCABULARY = "vocabulary.json"  # in assets/


def export_text(
    model: keras.Model,
    spec: DatasetSpec,
    export_dir: Path,
    facts: dict[str, Any] | None = None,
    texts: list[bytes] | None = None,
    *,
    keep: int = 0,
    labelled: Collection[int] = (),
) -> Path:
    """Exports a language model as the next version of `export_dir`.

    Args:
        model: a model of `build_language_model`.
        spec: the spec of its text.
        export_dir: the folder of the versions; it is created if needed.
        facts: what the manifest and the model card say about the model.
        texts: texts for the warm-up and the verification, of two tokens or more each; None: tokens
            of the vocabulary.
        keep: see `export_run`.
        labelled: see `export_run`.

    Returns:
        The folder of the new version.

    Raises:
        ConfigError: the vocabulary has no token but the unknown one.
        ExportError: the folder cannot be written, or a check failed; nothing is published.
        StorageError: there is no space on the disk, or no permission to write.
    """
    facts, texts = facts or {}, texts or texts_from(b"", spec)
    with staging(export_dir) as folder:
        announce("Writing the SavedModel")
        with disk_errors(export_dir):
            write_text_version(folder, model, spec, facts, texts)
        goldens = text_goldens(model, spec, texts)
        return publish_checked(folder, export_dir, goldens, spec, facts, keep, labelled)


def write_text_version(
    folder: Path,
    model: keras.Model,
    spec: DatasetSpec,
    facts: dict[str, Any],
    texts: list[bytes],
) -> None:
    """Writes a version, except its manifest, into an empty folder; see `export_text`."""
    signatures = TextSignatures(model, spec)
    vocabulary = folder / VOCABULARY
    vocabulary.write_text(
        json.dumps(spec.class_names, ensure_ascii=False, indent=0) + "\n", "utf-8"
    )
    table = signatures.vocabulary.table  # is filled when the version is loaded
    save_functions(folder, signatures.all, vocabulary, {DEFAULT: "score"}, table=table)
    (folder / BATCHING).write_text(batching_params())
    widths = dict(zip(signatures.states, signatures.widths, strict=True))
    write_text_warmup(folder, [*signatures.all, DEFAULT], texts, widths)
    metadata = {"run": facts.get("run"), "spec": json.loads(spec.to_json())}
    (folder / METADATA).write_text(json.dumps(metadata, indent=2) + "\n")
    write_text_card(folder, spec, facts)


def write_text_warmup(
    folder: Path, signatures: list[str], texts: list[bytes], widths: dict[str, int]
) -> None:
    """Writes a request of every allowed batch size for every signature.

    Args:
        folder: the version's folder.
        signatures: names of the signatures.
        texts: the texts in the requests.
        widths: H by the name of each state.
    """
    path = folder / WARMUP
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:  # not compressed: the server could not read it
        for signature in signatures:
            for size in BATCH_SIZES:
                inputs = text_feed(signature, texts, size, widths)
                writer.write(prediction_log(signature, inputs).SerializeToString())

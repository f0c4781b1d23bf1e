"""Untrained classifiers of sequences of numbers as exports, for tests of what serves them."""

import dataclasses
import json

import seqclf
from seqclf.config import resolve
from seqclf.data.dataset import DatasetSpec
from seqclf.data.table_layout import TableLayout
from seqclf.serving.export import write_version
from seqclf.serving.manifest import write_manifest
from seqclf.serving.warmup import blank_examples

LAYOUT = TableLayout("long", id="run", time="t", label="state", values=("temp", "vib"))
CLASSES = ("calm", "busy", "off")


def write_series_export(folder, layout=LAYOUT, model=None, **fields):
    """Writes version 1 of a model of sequences of any length; returns the spec of its data.

    Args:
        folder: the folder of the versions.
        layout: the columns of the table that the model was trained on; None: it was on no table.
        model: config of the model; None: two layers of a GRU.
        **fields: other fields of the spec.
    """
    spec = DatasetSpec(
        "test",
        "rows",
        (6, 2),
        "float32",
        CLASSES,
        variable_length=True,
        shift=(4.0, 0.5),
        scale=(0.3, 2.0),
        missing="mean",
        fill=(4.0, 0.5),
        feature_names=layout.values if layout else (),
        table=layout,
    )
    spec = dataclasses.replace(spec, **fields)
    config = resolve({"model": {"units": [5, 4]} | (model or {})})
    version = folder / "1"
    version.mkdir(parents=True)
    classifier = seqclf.build_classifier(config, spec)
    write_version(version, classifier, spec, {}, "float32", blank_examples(spec))
    known = {"spec": json.loads(spec.to_json()), "input_range": {"low": [0, 0], "high": [8, 1]}}
    write_manifest(version, known)
    return spec

"""Exports the model of a run as a version of a SavedModel that needs neither seqclf nor Keras.

A version holds, beside `saved_model.pb` and `variables/`:

    assets/labels.txt                           the class names by index, one a line
    batching_params.pbtxt                       how the server may batch requests
    assets.extra/tf_serving_warmup_requests     requests that the server replays at loading
    assets.extra/manifest.json, model_card.md   descriptions for programs and for people
    assets.extra/seqclf.json                    what seqclf.predict needs to know
    assets.extra/model.tflite                   on request: the model for LiteRT
    assets.extra/model.onnx                     on request: the model for ONNX Runtime
"""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import keras

from seqclf.console.progress import announce
from seqclf.data.dataset import DatasetSpec
from seqclf.errors import ConfigError
from seqclf.models.loading import load_trained
from seqclf.models.temperature import divide_logits
from seqclf.serving.batching import batching_params
from seqclf.serving.decision import Decision, Threshold
from seqclf.serving.file_names import BATCHING, METADATA
from seqclf.serving.golden_outputs import golden_outputs
from seqclf.serving.litert import write_litert
from seqclf.serving.manifest import write_card
from seqclf.serving.onnx_file import check_onnx, write_onnx
from seqclf.serving.publication import disk_errors, publish_checked
from seqclf.serving.publish import staging
from seqclf.serving.saved_functions import save_functions
from seqclf.serving.signatures import ExportSignatures
from seqclf.serving.text.examples import example_texts
from seqclf.serving.text.export import export_text
from seqclf.serving.warmup import WarmupExamples, blank_examples, examples_of, write_warmup
from seqclf.storage.environment import describe_environment
from seqclf.storage.run_directory import Run


def export_run(
    run: Run,
    export_dir: str | Path,
    input_dtype: str = "",
    keep: int = 0,
    report: dict[str, Any] | None = None,
    litert: str = "",
    onnx: bool = False,
    labelled: Collection[int] = (),
    decision: Decision | None = None,
) -> Path:
    """Exports the model of a run as the next version.

    Args:
        run: a trained run.
        export_dir: the folder of the versions; it is created if needed.
        input_dtype: dtype of the raw values that `serving_default` takes, `uint8` or `float32`;
            empty: the dtype of the data.
        keep: number of newest versions to keep; 0 keeps all.
        report: the report of the run, for the model card; None: the one in the run directory.
        litert: `float32` or `int8` to write a LiteRT file too, see `write_litert`; empty: none.
        onnx: whether to write an ONNX file too, see `write_onnx`.
        labelled: versions that are kept whatever `keep` is; see `publish`.
        decision: temperature and threshold; None: neither.

    Returns:
        The folder of the new version, `EXPORT_DIR/<version>`.

    Raises:
        RunError: the run has no model yet, or one that does not fit its data.
        ConfigError: an option does not fit the data.
        ExportError: the folder cannot be written, or a check failed; nothing is published.
        StorageError: there is no space on the disk, or no permission to write.
    """
    model, spec = load_trained(run)
    if spec.is_text:
        _check_text_options(input_dtype, litert, onnx)
        facts, export_dir = _facts(run, report), Path(export_dir).expanduser()
        texts = example_texts(run, spec)
        return export_text(model, spec, export_dir, facts, texts, keep=keep, labelled=labelled)
    if input_dtype == "uint8" and spec.raw_dtype != "uint8":
        raise ConfigError(
            f"--input_dtype=uint8 is for uint8 data; those of {run.path} are {spec.raw_dtype}."
        )
    decision, facts = decision or Decision(), _facts(run, report)
    if decision.facts:
        facts["decision"] = decision.facts
    if decision.temperature != 1:
        divide_logits(model, decision.temperature)
    return export_model(
        model,
        spec,
        Path(export_dir).expanduser(),
        facts,
        input_dtype,
        keep=keep,
        examples=examples_of(run, spec),
        litert=litert,
        onnx=onnx,
        labelled=labelled,
        threshold=decision.threshold,
    )


def _check_text_options(input_dtype: str, litert: str, onnx: bool) -> None:
    """Refuses the options that mean nothing for a language model."""
    for name, value, reason in (
        ("input_dtype", input_dtype, "a language model takes text"),
        ("litert", litert, "its signatures hold a vocabulary and loops"),
        ("onnx", onnx, "its signatures hold a vocabulary and loops"),
    ):
        if value:
            raise ConfigError(
                f"--{name} is not for a language model: {reason}. Leave it out. Received: {value!r}"
            )


def _facts(run: Run, report: dict[str, Any] | None) -> dict[str, Any]:
    """Returns what the manifest and the model card say about a run."""
    if report is None and run.report.exists():
        report = run.read_report()
    return {
        "run": run.path.name,
        "report": report,
        "config": run.read_config().to_dict(),
        "data": run.read_manifest().get("data"),
        **describe_environment(),
    }


def export_model(
    model: keras.Model,
    spec: DatasetSpec,
    export_dir: Path,
    facts: dict[str, Any] | None = None,
    input_dtype: str = "",
    *,
    keep: int = 0,
    examples: WarmupExamples | None = None,
    litert: str = "",
    onnx: bool = False,
    labelled: Collection[int] = (),
    threshold: Threshold | None = None,
) -> Path:
    """Exports a classifier as the next version of `export_dir`.

    Args:
        model: the classifier; it gives logits. See `build_classifier`.
        spec: spec of the data.
        export_dir: the folder of the versions; it is created if needed.
        facts: what the manifest and the model card say about the model.
        input_dtype: see `export_run`.
        keep: see `export_run`.
        examples: examples for the warm-up and the verification; None: one example of zeros.
        litert: see `export_run`.
        onnx: see `export_run`.
        labelled: see `export_run`.
        threshold: the threshold of a class; None: the most probable class is answered.

    Returns:
        The folder of the new version.

    Raises:
        ExportError: see `export_run`.
        StorageError: see `export_run`.
    """
    examples, facts = (examples or blank_examples(spec)).with_gap(spec), facts or {}
    dtype = input_dtype or spec.raw_dtype
    if onnx:
        check_onnx(spec)
    with staging(export_dir) as folder:
        announce("Writing the SavedModel")
        with disk_errors(export_dir):
            names = write_version(folder, model, spec, facts, dtype, examples, threshold)
            if litert:
                announce("Writing the LiteRT file")
                write_litert(folder, model, spec, dtype, litert, examples.x)
            if onnx:
                announce("Writing the ONNX file")
                write_onnx(folder, model, spec, dtype, examples)
        goldens = golden_outputs(model, spec, dtype, names, examples, threshold)
        facts = facts | _input_range(facts, spec)
        return publish_checked(folder, export_dir, goldens, spec, facts, keep, labelled)


def write_version(
    folder: Path,
    model: keras.Model,
    spec: DatasetSpec,
    facts: dict[str, Any],
    dtype: str,
    examples: WarmupExamples,
    threshold: Threshold | None = None,
) -> list[str]:
    """Writes a version, except its manifest, into a folder.

    Args:
        folder: an empty folder.
        model: the classifier; it gives logits.
        spec: spec of the data.
        facts: what the model card says about the model.
        dtype: dtype of the raw values that `serving_default` takes.
        examples: examples for the warm-up.
        threshold: see `export_model`.

    Returns:
        The names of the signatures.
    """
    signatures = ExportSignatures(model, spec, dtype, threshold)
    labels = folder / "labels.txt"
    lines = (" ".join(name.split("\n")) + "\n" for name in spec.class_names)
    labels.write_text("".join(lines), "utf-8")
    save_functions(folder, signatures.all, labels)
    names = list(signatures.all)
    (folder / BATCHING).write_text(batching_params(spec.variable_length))
    write_warmup(folder, names, spec, dtype, examples)
    metadata = {"run": facts.get("run"), "spec": json.loads(spec.to_json())}
    (folder / METADATA).write_text(json.dumps(metadata, indent=2) + "\n")
    write_card(folder, spec, facts)
    return names


def _input_range(facts: dict[str, Any], spec: DatasetSpec) -> dict[str, Any]:
    """Returns the manifest's entry `input_range`, if the range of the training inputs is known."""
    known = (facts.get("data") or {}).get("input_range")
    if known is None and spec.is_image:  # a run of an earlier version does not record it
        known = {"low": 0.0, "high": spec.full_scale}
    return {} if known is None else {"input_range": known}

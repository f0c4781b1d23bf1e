"""The descriptions in a version: `manifest.json` for programs, `model_card.md` for people."""

import datetime
import json
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from seqclf.console.names_in_text import in_markdown
from seqclf.data.dataset import DatasetSpec
from seqclf.serving.batching import BATCH_SIZES, MAX_BATCH_SIZE
from seqclf.serving.file_digests import file_digest
from seqclf.serving.file_names import CARD, MANIFEST
from seqclf.storage.recorded import counted_in_words


def describe_signatures(folder: Path) -> dict[str, Any]:
    """Returns the signatures of a SavedModel as JSON values.

    Args:
        folder: the version's folder.

    Returns:
        Signature name → `inputs` and `outputs` → tensor name → `dtype` and `shape`, in which -1 is
        a dimension of any size.
    """
    saved = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    return {
        name: {"inputs": _tensors(signature.inputs), "outputs": _tensors(signature.outputs)}
        for name, signature in sorted(saved.meta_graphs[0].signature_def.items())
        if not name.startswith("__")
    }


def write_manifest(folder: Path, facts: dict[str, Any]) -> None:
    """Writes `manifest.json`, the last of all files: it has size and SHA-256 of every other one.

    Args:
        folder: the version's folder.
        facts: everything else that is known about the model.
    """
    files = {
        str(path.relative_to(folder)): {
            "bytes": path.stat().st_size,
            "sha256": file_digest(path),
        }
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path != folder / MANIFEST
    }
    manifest = {
        "exported": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        **facts,
        "signatures": describe_signatures(folder),
        "batch_sizes": list(BATCH_SIZES),
        "files": files,
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")


def write_card(folder: Path, spec: DatasetSpec, facts: dict[str, Any]) -> None:
    """Writes `model_card.md`: what the model is for, how good it is and how it is called.

    Args:
        folder: the version's folder, with its SavedModel.
        spec: spec of the data.
        facts: what is known about the run; see `export_model`.
    """
    report = facts.get("report") or {}
    config = facts.get("config") or {}
    lines = [
        f"# {in_markdown(report.get('name') or 'A sequence classifier')}",
        "",
        f"Reads {_input(spec)} and says which of {spec.num_classes} classes "
        f"{'each step' if spec.per_step else 'it'} is: "
        f"{_shortened(spec.class_names)}.",
        "",
        "## Quality",
        "",
        *_quality(report),
        *_decision(facts.get("decision") or {}),
        "## How it was made",
        "",
        *making(facts, config, report),
        "## How it is called",
        "",
        f"At most {MAX_BATCH_SIZE} examples a request when the server batches.",
        "",
        *calls(folder),
        "",
        *_features(spec),
        "## Limits",
        "",
        "- It knows these classes alone and answers with one of them whatever it is shown. The "
        "probabilities are those of examples like the ones that it was trained on.",
        *_image_limits(spec),
        "",
    ]
    (folder / CARD).write_text("\n".join(lines), "utf-8")


def _input(spec: DatasetSpec) -> str:
    shape = " × ".join(map(str, spec.raw_shape))
    if spec.variable_length:
        return (
            f"sequences of up to or beyond {spec.time_steps} steps of {spec.raw_features} features"
        )
    return f"an example of {shape} as {spec.time_steps} steps of {spec.raw_features} features"


def _shortened(names: tuple[str, ...]) -> str:
    return ", ".join(map(in_markdown, names[:20])) + ", …" * (len(names) > 20)


def _quality(report: dict[str, Any]) -> list[str]:
    split = report.get("split", "test")
    if split not in report:
        return ["Not recorded.", ""]
    result = report[split]
    interval = ""
    if "accuracy_interval" in result:
        low, high = result["accuracy_interval"]
        interval = f" (95 % interval {low:.2%} to {high:.2%})"
    return [
        f"**{result['accuracy']:.2%}** of {counted_in_words(result, split)}{interval}, "
        f"cross-entropy {result['loss']:.4f}. "
        f"{_balance(result)}The weakest class by F1 is {_weakest(result)}.",
        "",
    ]


def _decision(decision: dict[str, Any]) -> list[str]:
    """Returns what the card says of temperature and threshold, if there is one of them."""
    said = []
    if "temperature" in decision:
        said.append(f"The logits are divided by the temperature {decision['temperature']:.4g}.")
    if "threshold" in decision:
        said.append(
            f"The class '{in_markdown(decision['class'])}' is answered from a probability of "
            f"{decision['threshold']:.4g} on."
        )
    if not said:
        return []
    end = f"Chosen on {decision['examples']:,} validation examples; not so the scores above."
    return [" ".join([*said, end]), ""]


def _balance(result: dict[str, Any]) -> str:
    """Returns sentences about balanced accuracy and majority; a run of version 0.1 has neither."""
    said = ""
    if result.get("balanced_accuracy") is not None:
        said += f"Balanced accuracy {result['balanced_accuracy']:.2%}. "
    if majority := result.get("majority"):
        name, accuracy = in_markdown(majority["class"]), majority["accuracy"]
        said += f"A model that always answers '{name}' would have {accuracy:.2%}. "
    for name in result.get("never_predicted", ()):
        said += f"**Class '{in_markdown(name)}' was never predicted.** "
    return said


def _weakest(result: dict[str, Any]) -> str:
    weakest = min(result["classes"], key=lambda c: c["f1"])
    return f"{in_markdown(weakest['name'])}, {weakest['f1']:.2%}"


def making(facts: dict[str, Any], config: dict[str, Any], report: dict[str, Any]) -> list[str]:
    """Returns what a model card says of how the model was made, as lines.

    Args:
        facts: what is known about the run.
        config: its config; {}: it is not known.
        report: its report; {}: it is not known.
    """
    data = report.get("data", {})
    lines = []
    if data:
        lines.append(f"- data: {in_markdown(data['source'])}; {in_markdown(data['origin'])}")
    if config:
        model, optimizer = config["model"], config["optimizer"]
        lines += [
            f"- model: {model['cell'].upper()} {list(model['units'])}",
            f"- training: {optimizer['name']}, peak learning rate {optimizer['learning_rate']:g}, "
            f"batches of {config['batch_size']}, seed {config['seed']}",
        ]
    if facts.get("git_revision"):
        lines.append(f"- code: git revision {facts['git_revision']}")
    versions = facts.get("versions") or {}
    if versions:
        known = ("seqclf", "tensorflow", "keras")
        lines.append("- versions: " + ", ".join(f"{k} {versions[k]}" for k in known))
    return [*lines, "- everything else: `manifest.json` beside this file", ""]


def calls(folder: Path) -> list[str]:
    """Returns the table of a version's signatures, as lines of Markdown."""
    lines = ["| signature | input | output |", "|---|---|---|"]
    for name, signature in describe_signatures(folder).items():
        sides = []
        for side in ("inputs", "outputs"):
            tensors = signature[side].items()
            sides.append("<br>".join(f"`{k}` {v['dtype']} {v['shape']}" for k, v in tensors))
        lines.append(f"| `{name}` | {sides[0]} | {sides[1]} |")
    return lines


def _features(spec: DatasetSpec) -> list[str]:
    """Returns what the card says of the features of sequences and of missing values."""
    lines = []
    if spec.feature_names and spec.raw_dtype != "uint8":
        names = ", ".join(map(in_markdown, spec.feature_names))
        lines.append(f"The features, in this order: {names}.")
    if spec.own_scale:
        lines.append(
            "Each sequence is scaled by itself, so that its own scale and offset change nothing. "
            "One that has the same value at all time steps becomes all zeros."
        )
    if spec.raw_dtype == "uint8":
        return [*lines, ""] if lines else []
    treated = {
        "error": "are refused",
        "interpolate": "are interpolated in time",
        "forward": "take the last observed value",
        "mean": "take the mean of the training split",
        "indicator": "take the mean of the training split, and the model is told",
    }
    missing = f"Missing values (NaN) {treated[spec.missing]}."
    if spec.own_scale:
        missing = missing.replace("training split", "sequence")
    return [*lines, missing, ""]


def _image_limits(spec: DatasetSpec) -> list[str]:
    if not spec.is_image:
        return []
    ground = "dark" if spec.background < 0.5 else "bright"
    return [
        f"- The images that it learned from have a {ground} ground: others must be inverted "
        "before they are sent.",
        f"- Raw values go from 0 to {spec.full_scale:g}.",
    ]


def _tensors(infos: Any) -> dict[str, Any]:
    return {
        name: {
            "dtype": tf.dtypes.as_dtype(info.dtype).name,
            "shape": [dim.size for dim in info.tensor_shape.dim],
        }
        for name, info in sorted(infos.items())
    }

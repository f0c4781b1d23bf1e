"""The model card of an exported language model."""

import json
from pathlib import Path
from typing import Any

from seqclf.console.names_in_text import code_in_markdown, in_markdown
from seqclf.data.dataset import DatasetSpec
from seqclf.serving.batching import MAX_BATCH_SIZE
from seqclf.serving.file_names import CARD
from seqclf.serving.manifest import calls, making
from seqclf.serving.text.options import MAX_LENGTH, MAX_TOKENS

SHOWN = 40  # tokens of the vocabulary


def write_text_card(folder: Path, spec: DatasetSpec, facts: dict[str, Any]) -> None:
    """Writes `model_card.md`: what the model is for, how good it is and how it is called.

    Args:
        folder: the version's folder, with its SavedModel.
        spec: the spec of the text.
        facts: what is known about the run; see `export_run`.
    """
    assert spec.tokens is not None
    report = facts.get("report") or {}
    shown = [code_in_markdown(json.dumps(name)) for name in spec.class_names[1 : 1 + SHOWN]]
    lines = [
        f"# {in_markdown(report.get('name') or 'A language model')}",
        "",
        f"A language model of {spec.tokens.kind}: it says how probable each of the "
        f"{spec.num_classes:,} tokens of its vocabulary is to come next. It scores texts, and "
        "writes texts from a prefix.",
        "",
        "## Quality",
        "",
        *_quality(report),
        "## How it was made",
        "",
        *making(facts, facts.get("config") or {}, report),
        "## How it is called",
        "",
        f"At most {MAX_BATCH_SIZE} texts a request when the server batches. A text or a prefix has "
        f"up to {MAX_TOKENS:,} tokens, and a request writes up to {MAX_LENGTH:,} after it. "
        "`serving_default` is `score`.",
        "",
        *calls(folder),
        "",
        f"The most frequent tokens: {', '.join(shown)}{', …' * (spec.num_classes - 1 > SHOWN)}. "
        "All of them, by their indices, are in `assets/vocabulary.json`.",
        "",
        *_reading(spec),
        "## Limits",
        "",
        "- It writes what is probable in texts like the one that it was trained on, whether it is "
        "true or not. What it writes may be passages of that text.",
        "- A token that the vocabulary lacks is read as `<unk>`, which is never written.",
        "",
    ]
    (folder / CARD).write_text("\n".join(lines), "utf-8")


def _quality(report: dict[str, Any]) -> list[str]:
    split = report.get("split", "test")
    if split not in report:
        return ["Not recorded.", ""]
    result = report[split]
    return [
        f"Perplexity **{result['perplexity']:.4g}** of a token, "
        f"**{result['bits_per_character']:.4g}** bits per character, on the {split} part of "
        f"{result['examples']:,} {result['unit']}, which it has not learned from.",
        "",
    ]


def _reading(spec: DatasetSpec) -> list[str]:
    """Returns what the card says of how a text is read."""
    assert spec.tokens is not None
    said = []
    if spec.tokens.letters_only:
        said.append("It is lower-cased, and all that is no letter of a to z becomes one space.")
    if spec.tokens.drop_line_ends:
        said.append("Line ends are dropped, with the white space beside them.")
    return [f"How a text is read: {' '.join(said)}", ""] if said else []

"""How good a model is, in text: one line, a warning, and tables of the scores and the classes.

Apart from the report, because commands that draw nothing need not wait for matplotlib.
"""

from collections.abc import Callable
from typing import Any

from seqclf.console.names_in_text import in_markdown
from seqclf.storage.recorded import counted_in_words

LISTED = 10  # classes that the warning names
# Entry of `class_report` → its name in the table of the scores, and how its value is written.
SCORES = {
    "accuracy": ("accuracy", ".2%"),
    "majority": ("accuracy of always", ".2%"),
    "balanced_accuracy": ("balanced accuracy", ".2%"),
    "macro_f1": ("macro F1", ".2%"),
    "roc_auc": ("ROC AUC", ".4f"),
    "average_precision": ("average precision", ".4f"),
    "loss": ("log loss", ".4f"),
    "calibration_error": ("calibration error (ECE)", ".4f"),
}
TEXT_SCORES = {
    "perplexity": ("perplexity of a token", ".4f"),
    "bits_per_token": ("bits per token", ".4f"),
    "bits_per_character": ("bits per character", ".4f"),
    "loss": ("cross-entropy of a token, nats", ".4f"),
    "accuracy": ("tokens that were the most probable", ".2%"),
}


def on_one_line(name: str) -> str:
    """Returns a class name without its line breaks, for the terminal."""
    return " ".join(name.splitlines())


def score_line(
    split: str, result: dict[str, Any], shown: Callable[[str], str] = on_one_line
) -> str:
    """Returns one line that says how good a model is.

    Args:
        split: name of the split that was scored.
        result: the numbers of `score_report`; those of an earlier version have fewer entries.
        shown: writes a class name, for the terminal or for Markdown.
    """
    if "perplexity" in result:  # a language model's
        return (
            f"{split} perplexity {result['perplexity']:.3f} of {result['examples']:,} "
            f"{result['unit']}, {result['bits_per_character']:.3f} bits per character, "
            f"accuracy {result['accuracy']:.2%}, loss {result['loss']:.4f}"
        )
    parts = [f"{split} accuracy {result['accuracy']:.2%} of {counted_in_words(result)}"]
    if "accuracy_interval" in result:
        low, high = result["accuracy_interval"]
        parts[0] += f" (95 % interval {low:.2%} to {high:.2%})"
    if result.get("balanced_accuracy") is not None:
        parts.append(f"balanced accuracy {result['balanced_accuracy']:.2%}")
    if majority := result.get("majority"):
        parts.append(f"always '{shown(majority['class'])}' would be {majority['accuracy']:.2%}")
    return ", ".join([*parts, f"loss {result['loss']:.4f}"])


def never_predicted(result: dict[str, Any], shown: Callable[[str], str] = on_one_line) -> list[str]:
    """Returns a sentence about the classes that the model never predicts, or [] if there are none.

    Args:
        result: the numbers of `class_report`; those of an earlier version have fewer entries.
        shown: writes a class name, for the terminal or for Markdown.
    """
    names = [f"'{shown(name)}'" for name in result.get("never_predicted", ())]
    if not names:
        return []
    if len(names) == 1:
        return [f"Class {names[0]} is never predicted."]
    more = len(names) - LISTED
    named = ", ".join(names[:LISTED]) if more > 0 else ", ".join(names[:-1])
    last = f"{more:,} more" if more > 0 else names[-1]
    return [f"Classes {named} and {last} are never predicted."]


def score_table(result: dict[str, Any]) -> list[str]:
    """Returns a Markdown table, as lines: each score with its 95 % interval where there is one.

    Args:
        result: the numbers of `score_report`; those of an earlier version have fewer entries.
    """
    if "perplexity" in result:  # a language model's
        rows = [f"| {name} | {result[k]:{form}} |" for k, (name, form) in TEXT_SCORES.items()]
        return ["| score | value |", "|---|---:|", *rows]
    lines = ["| score | value | 95 % interval |", "|---|---:|---:|"]
    for entry, (name, form) in SCORES.items():
        if entry not in result:
            continue
        value, interval = result[entry], ""
        if entry == "majority":
            name, value = f"{name} '{in_markdown(value['class'])}'", value["accuracy"]
        if f"{entry}_interval" in result:
            low, high = result[f"{entry}_interval"]
            interval = f"{low:{form}} to {high:{form}}"
        written = why_undefined(result) if value is None else f"{value:{form}}"
        lines.append(f"| {name} | {written} | {interval} |")
    return lines


def why_undefined(result: dict[str, Any]) -> str:
    """Returns the reason why a score is None.

    Args:
        result: the numbers of `class_report`.
    """
    present = [each["name"] for each in result["classes"] if each["support"]]
    if len(present) == 1:
        return f"not defined: all examples are of class '{in_markdown(present[0])}'"
    return "not defined: a probability is not a number"


def class_table(result: dict[str, Any]) -> list[str]:
    """Returns a Markdown table, as lines: precision, recall, F1 and support of each class.

    Args:
        result: the numbers of `score_report`. Of a language model there is no table: its classes
            are the tokens of its vocabulary.
    """
    if "classes" not in result:
        return []
    counted = "time steps" if "sequences" in result else "examples"
    lines = [f"| class | precision | recall | F1 | {counted} |", "|---|---:|---:|---:|---:|"]
    lines += [
        f"| {in_markdown(c['name'])} | {c['precision']:.2%} | {c['recall']:.2%} | {c['f1']:.2%} "
        f"| {c['support']:,} |"
        for c in result["classes"]
    ]
    return lines

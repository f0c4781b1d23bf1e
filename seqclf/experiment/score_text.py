"""How good a model is, in text: one line, and a table of the classes.

Apart from the report, because commands that draw nothing need not wait for matplotlib.
"""

from typing import Any

from seqclf.console.names_in_text import in_markdown


def score_line(split: str, result: dict[str, Any]) -> str:
    """Returns one line that says how good a model is.

    Args:
        split: name of the split that was scored.
        result: the numbers of `class_report`.
    """
    low, high = result["accuracy_interval"]
    return (
        f"{split} accuracy {result['accuracy']:.2%} of {result['examples']:,} examples "
        f"(95 % interval {low:.2%} to {high:.2%}), loss {result['loss']:.4f}"
    )


def class_table(result: dict[str, Any]) -> list[str]:
    """Returns a Markdown table, as lines: precision, recall, F1 and support of each class.

    Args:
        result: the numbers of `class_report`.
    """
    lines = ["| class | precision | recall | F1 | examples |", "|---|---:|---:|---:|---:|"]
    lines += [
        f"| {in_markdown(c['name'])} | {c['precision']:.2%} | {c['recall']:.2%} | {c['f1']:.2%} "
        f"| {c['support']:,} |"
        for c in result["classes"]
    ]
    return lines

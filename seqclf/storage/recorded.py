"""The form of what a run records in JSON files, which is checked when a file is read.

Only the entries that are read are listed: a file may hold more, and runs of earlier versions less.
"""

from typing import Any

NUMBER = (int, float)
NUMBER_OR_NONE = (int, float, type(None))  # None: it is not defined
LARGEST_INTEGER = 2**63

# A form is one of these: a type, or a tuple of types; a dict of the forms of the entries, of which
# those whose name ends in "?" may be missing; a list of one form, for lists that have one or more
# elements of it; a list of several forms, for lists that have one element of each.
Form = Any

SCORE: Form = {
    "accuracy": NUMBER,
    "accuracy_interval?": [NUMBER, NUMBER],
    "loss": NUMBER,
    "examples": int,
    "classes": [{"name": str, "f1": NUMBER}],
    "balanced_accuracy?": NUMBER_OR_NONE,
    "majority?": {"class": str, "accuracy": NUMBER},
    "never_predicted?": list,
    "sequences?": int,
}
TEXT_SCORE: Form = {
    "accuracy": NUMBER,
    "loss": NUMBER,
    "perplexity": NUMBER,
    "bits_per_token": NUMBER,
    "bits_per_character": NUMBER,
    "examples": int,
    "unit": str,
}
REPORT: Form = {
    "name": str,
    "split?": str,
    "training": {"train_seconds": NUMBER, "fallback?": str},
    "data": {"source": str, "origin": str},
}
MANIFEST: Form = {
    "status?": str,
    "reason?": str,
    "resumed?": list,
    "starts?": {"place": str, "count": int},
    "data?": {"fingerprint?": str, "input_range?": (dict, type(None))},
}
METRICS: Form = {
    "step": int,
    "train_loss": NUMBER,
    "train_accuracy": NUMBER,
    "validation_loss?": NUMBER,
    "validation_accuracy?": NUMBER,
    "learning_rate": NUMBER,
    "train_seconds": NUMBER,
}


def check_manifest(content: Any) -> None:
    """Checks the content of a `manifest.json`; raises ValueError, see `check_form`."""
    check_form(content, MANIFEST)


def check_report(report: Any) -> None:
    """Checks the content of a `report.json`; raises ValueError, see `check_form`."""
    named = report.get("split", "test") if isinstance(report, dict) else None
    scores = report.get(named) if isinstance(named, str) else None
    of_text = isinstance(scores, dict) and "perplexity" in scores
    form = TEXT_SCORE if of_text else SCORE
    check_form(report, {**REPORT, "test?": form, "validation?": form})
    split = report.get("split", "test")
    if split not in ("test", "validation") or split not in report:
        raise ValueError(f"it lacks the score of its `split`, {split!r:.80}")


def check_metrics(record: Any) -> None:
    """Checks a line of `metrics.jsonl`; raises ValueError, see `check_form`."""
    check_form(record, METRICS)


def counted_in_words(score: dict[str, Any], split: str = "") -> str:
    """Returns how many examples, or time steps, a recorded score is of.

    Args:
        score: the score.
        split: the name of the split that was scored; "": it is not named.

    Example:
        >>> counted_in_words({"examples": 1200}, "test")
        '1,200 test examples'
        >>> counted_in_words({"examples": 9, "sequences": 2})
        '9 time steps of 2 sequences'
    """
    of = f"{split} " if split else ""
    if "sequences" not in score:
        return f"{score['examples']:,} {of}examples"
    return f"{score['examples']:,} time steps of {score['sequences']:,} {of}sequences"


def check_form(value: Any, form: Form, name: str = "") -> None:
    """Checks a value that was read from a JSON file.

    Args:
        value: the value.
        form: its form; see above.
        name: the name of the value in the file, such as `test.accuracy`; empty: the whole file.

    Raises:
        ValueError: an entry is missing or of another type; the message names it.
    """
    if isinstance(form, dict):
        _check_type(value, dict, name)
        for entry, of_entry in form.items():
            key = entry.rstrip("?")
            if key in value:
                check_form(value[key], of_entry, f"{name}.{key}".lstrip("."))
            elif key == entry:
                raise ValueError(f"it lacks `{f'{name}.{key}'.lstrip('.')}`")
    elif isinstance(form, list):
        _check_type(value, list, name)
        if not value or (len(form) > 1 and len(value) != len(form)):
            raise ValueError(f"`{name}` cannot have {len(value)} elements")
        for i, element in enumerate(value):
            check_form(element, form[i if len(form) > 1 else 0], f"{name}[{i}]")
    else:
        _check_type(value, form, name)


def _check_type(value: Any, types: Any, name: str) -> None:
    kinds = types if isinstance(types, tuple) else (types,)
    fits = isinstance(value, kinds) and not isinstance(value, bool)
    if fits and isinstance(value, int):
        fits = abs(value) < LARGEST_INTEGER
    if not fits:
        wanted = " or ".join(kind.__name__ for kind in kinds)
        what = f"`{name}`" if name else "its content"
        raise ValueError(f"{what} must be of type {wanted}. Received: {value!r:.80}")

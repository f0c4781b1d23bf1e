"""The tables of a comparison: accuracy set by set, means over the sets, and time."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import mean
from typing import Any

from benchmarks.series.contenders import OURS

# InceptionTime, as published by its authors for the archive's own splits.
PUBLISHED = {
    "GunPoint": 1.0,
    "ArrowHead": 0.846,
    "ItalyPowerDemand": 0.965,
    "ECG5000": 0.941,
    "PickupGestureWiimoteZ": 0.76,
}
MISSING = "–"
Results = Sequence[Mapping[str, Any]]


def tables(results: Results) -> str:
    """Returns the Markdown text of all tables.

    Args:
        results: the results of `compare`.
    """
    parts = [_by_set(results, "accuracy", "Accuracy, %"), _means(results)]
    parts.append(_by_set(results, "balanced_accuracy", "Balanced accuracy, %"))
    parts.append(_by_set(results, "macro_f1", "Macro F1, %"))
    parts += [_seconds(results), _wins(results), _published(results), _notes(results)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _names(results: Results, key: str) -> list[str]:
    return list(dict.fromkeys(result[key] for result in results))


def _values(results: Results, of: str, contender: str, figure: str) -> list[float]:
    """Returns a figure of a contender on a set, for each seed; [] if it has none."""
    return [
        result[figure]
        for result in results
        if result["set"] == of and result["contender"] == contender and figure in result
    ]


def _cell(values: list[float], mark: str = "") -> str:
    """Returns the mean in per cent, and the lowest and highest of several."""
    if not values:
        return MISSING
    text = f"{100 * mean(values):.1f}{mark}"
    spread = max(values) - min(values)
    return f"{text} ({100 * min(values):.1f}–{100 * max(values):.1f})" if spread else text


def _by_set(results: Results, figure: str, title: str) -> str:
    contenders = _names(results, "contender")
    lines = [_row([title, "N", "T", *contenders]), _row(["---", *["--:"] * (2 + len(contenders))])]
    for of in _names(results, "set"):
        one = next(result for result in results if result["set"] == of)
        cells = []
        for name in contenders:
            mine = [r for r in results if r["set"] == of and r["contender"] == name]
            mark = "" if all(r["first"] for r in mine) else " †"
            cells.append(_cell(_values(results, of, name, figure), mark))
        lines.append(_row([of, str(one["train"]), str(one["time_steps"]), *cells]))
    return "\n".join(lines)


def _means(results: Results) -> str:
    """Returns the means over the sets on which every contender has a figure, and over all."""
    contenders, sets = _names(results, "contender"), _names(results, "set")
    common = [s for s in sets if all(_values(results, s, c, "accuracy") for c in contenders)]
    lines = [
        _row(["mean over", "sets", *contenders]),
        _row(["---", *["--:"] * (1 + len(contenders))]),
    ]
    for title, chosen in (("sets that all contenders have", common), ("all sets", sets)):
        cells = []
        for name in contenders:
            each = [_values(results, of, name, "accuracy") for of in chosen]
            whole = bool(each) and all(each)
            cells.append(f"{100 * mean(mean(v) for v in each):.2f}" if whole else MISSING)
        if chosen:
            lines.append(_row([title, str(len(chosen)), *cells]))
    return "\n".join(lines)


def _seconds(results: Results) -> str:
    contenders = _names(results, "contender")
    lines = [
        _row(["CPU seconds: training + predicting", *contenders]),
        _row(["---", *["--:"] * len(contenders)]),
    ]
    for of in _names(results, "set"):
        cells = []
        for name in contenders:
            fit = _values(results, of, name, "fit_seconds")
            predict = _values(results, of, name, "predict_seconds")
            cells.append(f"{mean(fit):.1f} + {mean(predict):.1f}" if fit else MISSING)
        lines.append(_row([of, *cells]))
    return "\n".join(lines)


def _wins(results: Results) -> str:
    """Returns on how many sets the recipe's mean accuracy is above, equal to and below others'."""
    lines = [_row([f"{OURS} against", "above", "equal", "below", "below on"])]
    lines.append(_row(["---", "--:", "--:", "--:", "---"]))
    for name in _names(results, "contender"):
        above, equal, below = 0, 0, []
        for of in _names(results, "set"):
            own = _values(results, of, OURS, "accuracy")
            other = _values(results, of, name, "accuracy")
            if name == OURS or not own or not other:
                continue
            difference = round(mean(own) - mean(other), 6)
            above += difference > 0
            equal += difference == 0
            below += [of] * (difference < 0)
        if above or equal or below:
            lines.append(
                _row([name, str(above), str(equal), str(len(below)), ", ".join(below) or "none"])
            )
    return "\n".join(lines) if len(lines) > 2 else ""


def _published(results: Results) -> str:
    """Returns the recipe beside InceptionTime's published accuracies."""
    lines = [_row(["Accuracy, %", OURS, "InceptionTime, published"]), _row(["---", "--:", "--:"])]
    for of, accuracy in PUBLISHED.items():
        if own := _values(results, of, OURS, "accuracy"):
            lines.append(_row([of, _cell(own), f"{100 * accuracy:.1f}"]))
    return "\n".join(lines) if len(lines) > 2 else ""


def _notes(results: Results) -> str:
    lines = [
        f"- {result['set']}, {result['contender']}: {result['over_time']}."
        for result in results
        if "over_time" in result
    ]
    if not all(result["first"] for result in results):
        lines.append("- †: the test split of this set had been read for another config before.")
    return "\n".join(lines)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"

"""The tables of the records, in Markdown: what was read, and every attempt that led there."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import mean, median
from typing import Any

from benchmarks.records.attempts import READING, TRAINING, Line
from benchmarks.records.beside import CLASSIC
from benchmarks.records.cross_validation import FOLD_COUNT
from benchmarks.records.intervals import exact_interval

OURS = "seqclf"
STAGES = {"short": "short schedule", "whole": "whole schedule", "fresh": "fresh seeds"}
Lines = Sequence[Line]


def tables(lines: Lines, tasks: Mapping[str, str]) -> str:
    """Returns the Markdown text of all tables.

    Args:
        lines: the lines of the file of attempts.
        tasks: the note of each task, "" if it has none, by name, in the order of the tables.
    """
    parts = [_headlines(lines, list(tasks)), _notes(lines, tasks)]
    parts += [_attempts(lines, name) for name in tasks]
    return "\n\n".join(part for part in parts if part) + "\n"


def _headlines(lines: Lines, tasks: Sequence[str]) -> str:
    rows = [
        _row(
            *("task", "trained by", "test accuracy of each seed, % [exact 95 % interval]"),
            *("median (least – most), %", "mean, %", "s", "CPU s", "change", "config"),
            "trainings to choose",
        ),
        _row(*["---"] * 3, *["--:"] * 4, "---", "---", "--:"),
    ]
    for task in tasks:
        chosen_by = sum(_is_choice(line) for line in lines if line["task"] == task)
        for (contender, config), read in _read(lines, task).items():
            ours = contender == OURS
            rows.append(
                _row(
                    task,
                    contender,
                    "; ".join(_seed_in_words(seed, of) for seed, of in sorted(read.items())) or "–",
                    *_spread([_accuracy(of) for of in read.values()]),
                    *(_median(read.values(), key) for key in ("seconds", "cpu_seconds")),
                    _change(read) if ours else "",
                    f"`{config}`" if ours else "",
                    (str(chosen_by) if chosen_by else "–") if ours else "",
                )
            )
    return "\n".join(rows)


def _read(lines: Lines, task: str) -> dict[tuple[str, str], dict[int, Lines]]:
    """Returns the readings by contender and config, and by seed.

    A seed has one reading, or one for each fold; a repetition that lacks folds is left out.
    """
    found: dict[tuple[str, str], dict[int, list[Line]]] = {}
    for line in lines:
        if line["task"] == task and line["kind"] == READING:
            key = (line.get("contender") or OURS, line["config"])
            found.setdefault(key, {}).setdefault(line["seed"], []).append(line)
    return {
        key: {seed: of for seed, of in seeds.items() if "fold" not in of[0] or _is_whole(of)}
        for key, seeds in found.items()
    }


def _is_whole(folds: Lines) -> bool:
    return len({line["fold"] for line in folds}) == FOLD_COUNT


def _counts(of: Lines) -> tuple[int, int]:
    """Returns how many examples were right, and of how many, in all folds."""
    tests = [line["test"] for line in of]
    return sum(test["correct"] for test in tests), sum(test["examples"] for test in tests)


def _accuracy(of: Lines) -> float:
    right, examples = _counts(of)
    return right / examples


def _seed_in_words(seed: int, of: Lines) -> str:
    low, high = exact_interval(*_counts(of))
    mark = "" if of[0].get("first", True) else " †"
    return f"{seed}: {100 * _accuracy(of):.2f}{mark} [{100 * low:.2f}, {100 * high:.2f}]"


def _spread(accuracies: Sequence[float]) -> tuple[str, str]:
    """Returns the median with least and most, and the mean, in per cent."""
    if not accuracies:
        return "–", "–"
    middle, low, high = (100 * of(accuracies) for of in (median, min, max))
    return f"**{middle:.2f}** ({low:.2f} – {high:.2f})", f"{100 * mean(accuracies):.2f}"


def _median(read: Iterable[Lines], key: str) -> str:
    """Returns the median time of a training, "–" if there is none."""
    times = [line[key] for of in read for line in of]
    return f"{median(times):,.1f}" if times else "–"


def _change(read: Mapping[int, Lines]) -> str:
    return next((of[0].get("change", "") for of in read.values()), "")


def _notes(lines: Lines, tasks: Mapping[str, str]) -> str:
    read = {line["task"] for line in lines if line["kind"] == READING}
    tried = {line["task"] for line in lines if line["kind"] == TRAINING}
    notes = [f"- {name}: {note}" for name, note in tasks.items() if note and name in read | tried]
    notes += [f"- {name}: {times}" for name in tasks if (times := _times(lines, name))]
    if unread := [name for name in tasks if name in tried - read]:
        notes.append(f"- Not yet read: {', '.join(unread)}.")
    if missing := [name for name in tasks if name not in read | tried]:
        notes.append(f"- Not yet run: {', '.join(missing)}.")
    if any(not line.get("first", True) for line in lines):
        notes.append("- †: the test split had been read for another config of the task before.")
    return "\n".join(notes)


def _times(lines: Lines, task: str) -> str:
    """Returns how much of the classic's time the config needs, "" where it was not beside it."""
    by_seed: dict[tuple[str, int], dict[str, float]] = {}
    for line in lines:
        if line["task"] == task and line["kind"] == READING and "fold" not in line:
            pair = by_seed.setdefault((line["config"], line["seed"]), {})
            pair[line.get("contender") or OURS] = line["seconds"]
    shares = [pair[OURS] / pair[CLASSIC] for pair in by_seed.values() if len(pair) == 2]
    if not shares:
        return ""
    return (
        f"of the time that the classic takes on Keras, start of the process included, seqclf needs "
        f"{median(shares):.3f} ({min(shares):.3f} – {max(shares):.3f}; trained in turns)."
    )


def _is_choice(line: Mapping[str, Any]) -> bool:
    return line["kind"] == TRAINING and line["stage"] != "fresh"


def _attempts(lines: Lines, task: str) -> str:
    """Returns the table of all trainings of a task, the best change of a stage first."""
    groups: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        if line["task"] == task and line["kind"] == TRAINING:
            groups.setdefault((line["stage"], line["config"]), []).append(line)
    if not groups:
        return ""
    heads = ("change", "config", "steps", "validation accuracy of each seed, %")
    rows = [_row("stage", *heads, "mean, %", "loss", "s", "CPU s")]
    rows.append(_row(*["---"] * 3, "--:", "---", *["--:"] * 4))
    stages = list(STAGES)

    def rank(key: tuple[str, str]) -> tuple[int, float, float]:
        scores = [line["validation"] for line in groups[key]]
        accuracy, loss = (mean(score[of] for score in scores) for of in ("accuracy", "loss"))
        return stages.index(key[0]), -accuracy, loss

    for key in sorted(groups, key=rank):
        of = sorted(groups[key], key=lambda line: line["seed"])
        scores = [line["validation"] for line in of]
        each = (f"{line['seed']}: {100 * line['validation']['accuracy']:.2f}" for line in of)
        rows.append(
            _row(
                STAGES[key[0]],
                " = ".join(dict.fromkeys(line["change"] for line in of)),
                f"`{key[1]}`",
                f"{of[0]['steps']:,}",
                "; ".join(each),
                f"{100 * mean(score['accuracy'] for score in scores):.2f}",
                f"{mean(score['loss'] for score in scores):.4f}",
                _median([of], "seconds"),
                _median([of], "cpu_seconds"),
            )
        )
    return "\n".join([f"`{task}`, every training (times: medians):", "", *rows])


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"

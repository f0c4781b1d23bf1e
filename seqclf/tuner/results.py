"""The results of a search: the ranking, the best config and `search.md`."""

import json
import math
from pathlib import Path
from typing import Any

from seqclf.config import Config, differences, flatten, to_json
from seqclf.config.search_space import SearchSpace, shown
from seqclf.console.names_in_text import code_in_markdown, in_markdown
from seqclf.console.progress import clock
from seqclf.errors import RunError
from seqclf.experiment.figures import save_figure
from seqclf.storage.files import write_json, write_text
from seqclf.storage.run_directory import Run
from seqclf.tuner import figures
from seqclf.tuner.progress import short_names, trial_number
from seqclf.tuner.tuner import run_of_trial

SHOWN = 10  # rows of the table on the terminal


def rank_trials(oracle: Any, space: SearchSpace, folder: Path) -> list[dict[str, Any]]:
    """Returns a row for every trial, the best first and those that failed last.

    Of trials with the same score the one with the lower validation loss is better.

    Args:
        oracle: the oracle, which knows all trials.
        space: the search space.
        folder: folder of the search.

    Returns:
        Rows with `trial` (number of the trial, from 1), `run` (name of its folder), `status`,
        `score` (None if it failed), `validation_loss` (None if not known), `epochs` (with
        Hyperband, otherwise None), `values` (by key), `seconds` (of training, 0 if not known) and
        `reason` (why it failed).
    """
    rows = [_row(oracle.trials[trial_id], space, folder) for trial_id in oracle.start_order]
    sign = -1 if oracle.objective.direction == "max" else 1

    def order(row: dict[str, Any]) -> tuple[bool, float, float, int]:
        loss = math.inf if row["validation_loss"] is None else row["validation_loss"]
        return row["score"] is None, sign * (row["score"] or 0.0), loss, row["trial"]

    return sorted(rows, key=order)


def _row(trial: Any, space: SearchSpace, folder: Path) -> dict[str, Any]:
    run = run_of_trial(folder, trial.trial_id, 0)
    completed = trial.status == "COMPLETED"
    validation_loss, seconds = _read_report(run) if completed else (None, 0.0)
    return {
        "trial": trial_number(trial.trial_id),
        "run": run.path.name,
        "status": trial.status.lower(),
        "score": float(trial.score) if completed else None,
        "epochs": trial.hyperparameters.values.get("tuner/epochs"),
        "values": space.declare(trial.hyperparameters.copy()),
        "validation_loss": validation_loss,
        "seconds": seconds,
        "reason": "" if completed else run.read_manifest().get("reason", ""),
    }


def write_results(
    folder: Path, space: SearchSpace, oracle: Any, search: dict[str, Any], seconds: float
) -> list[dict[str, Any]]:
    """Writes `results.json`, `search.md`, figures and, if a trial was completed, `best_config.*`.

    Args:
        folder: folder of the search.
        space: the search space.
        oracle: the oracle, after the search.
        search: content of `search.json`.
        seconds: seconds that the search took, in all its processes together.

    Returns:
        The ranking, as `rank_trials` gives it.
    """
    rows = rank_trials(oracle, space, folder)
    objective = oracle.objective
    _save_figures(folder / "figures", rows, space, objective)
    if rows and rows[0]["score"] is not None:
        best = best_config(space, rows[0]["values"])
        write_text(folder / "best_config.json", to_json(best))
        write_text(folder / "best_config.py", recipe_text(best, objective.name, rows[0]))
    write_text(folder / "search.md", _markdown(rows, space, objective.name, search, seconds))
    write_json(folder / "results.json", rows)
    return rows


def _save_figures(
    folder: Path, rows: list[dict[str, Any]], space: SearchSpace, objective: Any
) -> None:
    by_number = sorted(rows, key=lambda row: row["trial"])
    scores = [float("nan") if row["score"] is None else row["score"] for row in by_number]
    drawn = {"score_by_trial": figures.score_by_trial(scores, objective.name, objective.direction)}
    completed = [row for row in rows if row["score"] is not None]
    if completed:
        tried = [row["values"] for row in completed], [row["score"] for row in completed]
        drawn["score_by_value"] = figures.score_by_value(space, *tried, objective.name)
        drawn["parallel_coordinates"] = figures.parallel_coordinates(space, *tried, objective.name)
    for name, figure in drawn.items():
        save_figure(figure, folder / f"{name}.png")


def best_config(space: SearchSpace, values: dict[str, Any]) -> Config:
    """Returns the config of a trial, named after that of the search with `_tuned` at the end."""
    config = space.apply(values)
    return config.changed({"name": f"{config.name}_tuned"})


def recipe_text(config: Config, objective: str, row: dict[str, Any]) -> str:
    """Returns the text of a recipe file that gives a config.

    Args:
        config: the config; the file names the keys that differ from the defaults.
        objective: name of the objective, for the docstring.
        row: row of the trial in the ranking, for the docstring.
    """
    changed = [line.partition(":")[0] for line in differences(Config(), config)]
    flat = flatten(config)
    lines = [
        f'"""The best of a search: {objective} {row["score"]:.4f} (trial {row["trial"]})."""',
        "",
        "from seqclf.config import default_config",
        "",
        "",
        "def get_config():",
        "    config = default_config()",
        *(f"    config.{key} = {_literal(flat[key])}" for key in changed),
        "    return config",
    ]
    return "\n".join(lines) + "\n"


def ranking_table(rows: list[dict[str, Any]], objective: str) -> list[str]:
    """Returns the lines of a Markdown table with a row for each trial."""
    keys = list(dict.fromkeys(key for row in rows for key in row["values"]))
    names = list(short_names(dict.fromkeys(keys)))
    epochs = any(row["epochs"] for row in rows)
    head = ["rank", "trial", objective, *(["epochs"] if epochs else []), *names, "run"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for place, row in enumerate(rows, start=1):
        score = "failed" if row["score"] is None else f"{row['score']:.4f}"
        values = [shown(row["values"][key]) if key in row["values"] else "" for key in keys]
        cells = [place, row["trial"], score, *([row["epochs"]] if epochs else []), *values]
        lines.append("| " + " | ".join(map(str, [*cells, f"trials/{row['run']}"])) + " |")
    return lines


def _markdown(
    rows: list[dict[str, Any]],
    space: SearchSpace,
    objective: str,
    search: dict[str, Any],
    seconds: float,
) -> str:
    """Returns the text of `search.md`."""
    completed = [row for row in rows if row["score"] is not None]
    failed = [row for row in rows if row["score"] is None]
    trained = sum(row["seconds"] for row in rows)
    lines = [
        f"# Search {code_in_markdown(search['name'])}",
        "",
        *_best_trial(completed, objective),
        f"- tuner: {search['tuner']}, seed {search['seed']}; {len(rows)} trials, {len(failed)} of "
        f"them failed; {search['executions_per_trial']} training(s) each",
        f"- time: {clock(seconds)} in all, {clock(trained)} of it in training steps",
        "",
        "## Space",
        "",
        "| key | values |",
        "|---|---|",
        *(f"| `{k}` | {text.replace('|', 'or')} |" for k, text in space.in_words().items()),
        "",
        "## Ranking",
        "",
        *ranking_table(rows, objective),
        "",
        *_figures(bool(completed)),
    ]
    if failed:
        reasons = [in_markdown(row["reason"]) or "not known" for row in failed]
        lines += ["## Trials that failed", ""]
        lines += [f"- trial {r['trial']}: {why}" for r, why in zip(failed, reasons, strict=True)]
        lines.append("")
    return "\n".join(lines)


def _figures(completed: bool) -> list[str]:
    """Returns the lines of `search.md` that show the figures."""
    figures = [("score by trial", "score_by_trial")]
    if completed:
        figures += [
            ("score against each hyper-parameter", "score_by_value"),
            ("all hyper-parameters of each trial", "parallel_coordinates"),
        ]
    lines = ["## Figures", ""]
    for text, name in figures:
        lines += [f"![{text}](figures/{name}.png)", ""]
    return lines


def _best_trial(completed: list[dict[str, Any]], objective: str) -> list[str]:
    """Returns the lines of `search.md` about the best of the completed trials."""
    if not completed:
        return ["**No trial was completed.**", ""]
    best = completed[0]
    values = ", ".join(f"`{key}` {shown(value)}" for key, value in best["values"].items())
    return [
        f"**Best: {objective} {best['score']:.4f} in trial {best['trial']}**, with {values}.",
        "",
        "    python -m seqclf.train --config=best_config.py --workdir=DIR",
        "",
        "The score is that of the examples by which the trial was chosen, so it is a little too "
        "good. The test split, after such a training, says what the config is worth.",
        "",
    ]


def _read_report(run: Run) -> tuple[float | None, float]:
    """Returns validation loss and seconds of a trial, from its report.

    They are None and 0 if the worker of the trial wrote its report to a disk of its own.

    Raises:
        RunError: the report is damaged.
    """
    if not run.report.exists():
        return None, 0.0
    try:
        report = run.read_report()
        return float(report["validation"]["loss"]), float(report["training"]["train_seconds"])
    except KeyError as error:
        raise RunError(
            f"{run.report} is damaged: it lacks the score of the {error} split. Bring it back "
            "from a copy."
        ) from error


def _literal(value: Any) -> str:
    """Returns a value as Python source text."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)  # double quotes
    return repr(list(value) if isinstance(value, tuple) else value)

"""What a search leaves behind: the ranking, the best config and `search.md`."""

import json
import math
from pathlib import Path
from typing import Any

from seqclf.config import Config, differences, flatten, to_json
from seqclf.config.search_space import SearchSpace, shown
from seqclf.console.progress import clock
from seqclf.errors import RunError
from seqclf.experiment.figures import save_figure
from seqclf.storage.files import write_json, write_text
from seqclf.storage.run_directory import Run
from seqclf.tuner import figures
from seqclf.tuner.progress import short_names, trial_number
from seqclf.tuner.tuner import trial_run

SHOWN = 10  # rows of the table on the terminal


def rank(oracle: Any, space: SearchSpace, folder: Path) -> list[dict[str, Any]]:
    """Returns every trial, best first, those that failed last.

    Of trials with the same score that with the lowest validation loss is the better. Each has
    `trial` (its number, from 1), `run` (the folder's name), `status`, `score` (None if it failed),
    `validation_loss` (None if not known), `epochs` (Hyperband's, or None), `values` (by key),
    `seconds` (of training, 0 if not known) and `reason` (why it failed).
    """
    rows = []
    for trial_id in oracle.start_order:
        trial = oracle.trials[trial_id]
        run = trial_run(folder, trial_id, 0)
        completed = trial.status == "COMPLETED"
        report = _read_report(run) if completed else {}
        rows.append(
            {
                "trial": trial_number(trial_id),
                "run": run.path.name,
                "status": trial.status.lower(),
                "score": float(trial.score) if completed else None,
                "epochs": trial.hyperparameters.values.get("tuner/epochs"),
                "values": space.declare(trial.hyperparameters.copy()),
                "validation_loss": report.get("validation", {}).get("loss"),
                "seconds": report.get("training", {}).get("train_seconds", 0.0),
                "reason": "" if completed else run.read_manifest().get("reason", ""),
            }
        )
    sign = -1 if oracle.objective.direction == "max" else 1

    def order(row: dict[str, Any]) -> tuple:
        loss = math.inf if row["validation_loss"] is None else row["validation_loss"]
        return row["score"] is None, sign * (row["score"] or 0.0), loss, row["trial"]

    return sorted(rows, key=order)


def write_results(
    folder: Path, space: SearchSpace, oracle: Any, search: dict[str, Any], seconds: float
) -> list[dict[str, Any]]:
    """Writes `results.json`, `search.md`, figures and, if a trial was completed, `best_config.*`.

    Args:
        folder: of the search.
        space: its space.
        oracle: after the search.
        search: what `search.json` holds.
        seconds: that the search took, all its processes together.

    Returns:
        What `rank` returns.
    """
    rows = rank(oracle, space, folder)
    completed = [row for row in rows if row["score"] is not None]
    objective = oracle.objective
    by_number = sorted(rows, key=lambda row: row["trial"])
    scores = [float("nan") if row["score"] is None else row["score"] for row in by_number]
    save_figure(
        figures.score_by_trial(scores, objective.name, objective.direction),
        folder / "figures" / "score_by_trial.png",
    )
    if completed:
        values = [row["values"] for row in completed]
        scores = [row["score"] for row in completed]
        for name in ("score_by_value", "parallel_coordinates"):
            draw = getattr(figures, name)
            figure = draw(space, values, scores, objective.name)
            save_figure(figure, folder / "figures" / f"{name}.png")
        best = best_config(space, completed[0]["values"])
        write_text(folder / "best_config.json", to_json(best))
        write_text(folder / "best_config.py", recipe(best, objective.name, completed[0]))
    write_text(folder / "search.md", _markdown(rows, space, objective.name, search, seconds))
    write_json(folder / "results.json", rows)
    return rows


def best_config(space: SearchSpace, values: dict[str, Any]) -> Config:
    """Returns the config of a trial, under a name of its own."""
    config = space.apply(values)
    return config.changed({"name": f"{config.name}_tuned"})


def recipe(config: Config, objective: str, row: dict[str, Any]) -> str:
    """Returns a config as the text of a recipe file: what differs from the defaults."""
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


def table(rows: list[dict[str, Any]], objective: str) -> list[str]:
    """Returns the lines of a Markdown table, a row a trial."""
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
    completed = [row for row in rows if row["score"] is not None]
    failed = [row for row in rows if row["score"] is None]
    lines = [f"# Search `{search['name']}`", ""]
    if completed:
        best = completed[0]
        values = ", ".join(f"`{key}` {shown(value)}" for key, value in best["values"].items())
        lines += [
            f"**Best: {objective} {best['score']:.4f} in trial {best['trial']}**, with {values}.",
            "",
            "    python -m seqclf.train --config=best_config.py --workdir=DIR",
            "",
            "The score is of the examples by which the trial was chosen: it is a little too good. "
            "What the config is worth, the test split says after such a training.",
            "",
        ]
    else:
        lines += ["**No trial was completed.**", ""]
    lines += [
        f"- tuner: {search['tuner']}, seed {search['seed']}; {len(rows)} trials, {len(failed)} of "
        f"them failed; {search['executions_per_trial']} training(s) each",
        f"- time: {clock(seconds)} in all, {clock(sum(row['seconds'] for row in rows))} of it in "
        "training steps",
        "",
        "## Space",
        "",
        "| key | values |",
        "|---|---|",
        *(f"| `{k}` | {text.replace('|', 'or')} |" for k, text in space.describe().items()),
        "",
        "## Ranking",
        "",
        *table(rows, objective),
        "",
        "## Figures",
        "",
        "![score by trial](figures/score_by_trial.png)",
        "",
    ]
    if completed:
        lines += [
            "![score against each hyper-parameter](figures/score_by_value.png)",
            "",
            "![all hyper-parameters of each trial](figures/parallel_coordinates.png)",
            "",
        ]
    if failed:
        lines += ["## Trials that failed", ""]
        lines += [f"- trial {row['trial']}: {row['reason'] or 'not known'}" for row in failed]
        lines.append("")
    return "\n".join(lines)


def _read_report(run: Run) -> dict[str, Any]:
    """Returns a trial's report; `{}` where its worker does not share this folder."""
    if not run.report.exists():
        return {}
    try:
        return json.loads(run.report.read_text())
    except ValueError as error:
        raise RunError(f"{run.report} is damaged: {error}") from error


def _literal(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)  # double quotes
    return repr(list(value) if isinstance(value, tuple) else value)

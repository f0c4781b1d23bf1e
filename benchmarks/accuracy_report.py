"""The tables and the figure that `benchmarks.time_to_accuracy` prints and writes."""

from pathlib import Path
from statistics import median
from typing import Any

from matplotlib.figure import Figure

from seqclf.storage.files import replacing, write_json, write_text

THRESHOLDS = (0.97, 0.98, 0.985, 0.99)
CLOCKS = {"from_start": "from process start", "from_first_step": "from the first step"}
REFERENCE = "Keras, classic"
COLOURS = ("#9aa5b1", "#c8a46e", "#4c7fb0", "#c0682f", "#5b8c5a", "#b3123f")


def reached(points: list[dict[str, float]], threshold: float, clock: str) -> float | None:
    """Returns the seconds after which an accuracy was first reached; None: it never was."""
    return next((p[clock] for p in points if p["accuracy"] >= threshold), None)


def line(run: dict[str, Any]) -> str:
    """Returns a line of text about one training."""
    points = run["points"]
    last = points[-1]
    when = reached(points, THRESHOLDS[-1], "from_start")
    return (
        f"{run['contender']:22} seed {run['seed']}: {last['step']:.0f} steps in "
        f"{last['from_start']:.1f} s, {last['accuracy']:.2%} at the end, "
        + (
            f"{THRESHOLDS[-1]:.0%} after {when:.1f} s"
            if when is not None
            else f"never {THRESHOLDS[-1]:.0%}"
        )
    )


def table(results: dict[str, Any]) -> str:
    """Returns two Markdown tables of the comparison, one for each clock."""
    return "\n".join(_table(results, clock) for clock in CLOCKS)


def _table(results: dict[str, Any], clock: str) -> str:
    lines = [
        f"Seconds {CLOCKS[clock]}, median (least – most):",
        "",
        "| | "
        + " | ".join(f"{t * 100:g} %" for t in THRESHOLDS)
        + " | the whole training | × the classic on Keras | accuracy at the end |",
        "|---|" + "--:|" * (len(THRESHOLDS) + 3),
    ]
    runs = _by_contender(results)
    whole = {name: median(points[-1][clock] for points in of) for name, of in runs.items()}
    for name, of in runs.items():
        cells = [_spread([reached(points, t, clock) for points in of]) for t in THRESHOLDS]
        cells.append(_spread([points[-1][clock] for points in of]))
        cells.append(f"{whole[name] / whole[REFERENCE]:.2f}" if REFERENCE in whole else "")
        ends = sorted(points[-1]["accuracy"] * 100 for points in of)
        cells.append(f"{median(ends):.2f} % ({ends[0]:.2f} – {ends[-1]:.2f})")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


def _spread(times: list[float | None]) -> str:
    """Returns the median and the range of times; the median is "never" unless most are known."""
    known = sorted(t for t in times if t is not None)
    count = "" if len(known) == len(times) else f", {len(known)} of {len(times)}"
    if not known:
        return "never"
    ranked = sorted(float("inf") if t is None else t for t in times)
    middle = median(ranked)
    shown = "never" if middle == float("inf") else f"**{middle:.1f}**"
    return f"{shown} ({known[0]:.1f} – {known[-1]:.1f}{count})"


def _by_contender(results: dict[str, Any]) -> dict[str, list[list[dict[str, float]]]]:
    runs: dict[str, list[list[dict[str, float]]]] = {}
    for run in results["runs"]:
        runs.setdefault(run["contender"], []).append(run["points"])
    return runs


def draw(results: dict[str, Any]) -> Figure:
    """Returns a figure of the test error over time: thin lines for trainings, thick for medians."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    for colour, (name, of) in zip(COLOURS, _by_contender(results).items(), strict=False):
        for points in of:
            axes.plot(*_curve(points), color=colour, linewidth=0.6, alpha=0.4)
        middle = [
            {key: median(points[i][key] for points in of) for key in of[0][0]}
            for i in range(min(map(len, of)))
        ]
        axes.plot(*_curve(middle), color=colour, linewidth=2.2, label=name)
    axes.set_yscale("log")
    axes.set_ylim(0.6, 20)
    for threshold in THRESHOLDS:
        axes.axhline(100 - threshold * 100, color="#dddddd", linewidth=0.8, zorder=0)
    ticks = [100 - t * 100 for t in THRESHOLDS] + [5, 10, 20]
    axes.set_yticks(ticks, [f"{tick:g} %" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlim(left=0)
    axes.set_xlabel("seconds since the process was started")
    axes.set_ylabel("test error")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return figure


def _curve(points: list[dict[str, float]]) -> tuple[list[float], list[float]]:
    return [p["from_start"] for p in points], [100 - 100 * p["accuracy"] for p in points]


def write(results: dict[str, Any], folder: Path) -> None:
    """Writes `time_to_accuracy.json`, `.md` and `.png` into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "time_to_accuracy.json", results)
    write_text(folder / "time_to_accuracy.md", table(results))
    with replacing(folder / "time_to_accuracy.png") as temporary:
        draw(results).savefig(temporary, dpi=130, facecolor="white")

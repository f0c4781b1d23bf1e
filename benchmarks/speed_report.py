"""The tables and the figure that `benchmarks.speed` prints and writes."""

import json
from pathlib import Path
from typing import Any

from seqclf.storage.files import replacing

KERAS = ("keras graph", "keras xla")
OURS = ("seqclf", "seqclf xla", "seqclf layer")
CALLS = ("training", "inference")


def ratios(point: dict[str, Any], call: str) -> tuple[float, float]:
    """Returns how many times faster seqclf is than the better Keras variant and than PyTorch."""
    times = {name: result["median_ms"] for name, result in point[call].items()}
    return min(times[name] for name in KERAS) / times["seqclf"], times["torch"] / times["seqclf"]


def line(point: dict[str, Any]) -> str:
    """Returns a line of text about one point."""
    shape = point["shape"]
    parts = [f"T {shape['steps']} H {shape['units']} B {shape['batch']}:"]
    for call in CALLS:
        keras, torch = ratios(point, call)
        ours = point[call]["seqclf"]["median_ms"]
        parts.append(f"{call} {ours:.2f} ms, {keras:.2f}× Keras, {torch:.2f}× PyTorch;")
    return " ".join(parts).rstrip(";")


def summary(results: dict[str, Any]) -> str:
    """Returns a Markdown table of the ratios, with a row for each T and width of the grid."""
    points = _grid(results)
    batches = sorted({point["shape"]["batch"] for point in points})
    rows = list(dict.fromkeys((p["shape"]["steps"], p["shape"]["units"]) for p in points))
    lines = [
        "| T | units | "
        + " | ".join(f"{call}, batch {b}" for call in CALLS for b in batches)
        + " |",
        "|--:|--:|" + "--:|" * len(batches) * len(CALLS),
    ]
    for steps, units in rows:
        of_batch = {
            point["shape"]["batch"]: point
            for point in points
            if (point["shape"]["steps"], point["shape"]["units"]) == (steps, units)
        }
        cells = [
            " · ".join(f"{ratio:.2f}" for ratio in ratios(of_batch[batch], call))
            if batch in of_batch
            else ""
            for call in CALLS
            for batch in batches
        ]
        lines.append(f"| {steps} | {units} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


def _grid(results: dict[str, Any]) -> list[dict[str, Any]]:
    """Returns the points of the grid: those whose width several points have, if there are any."""
    widths = [point["shape"]["units"] for point in results["points"]]
    grid = [p for p in results["points"] if widths.count(p["shape"]["units"]) > 1]
    return grid or results["points"]


def table(results: dict[str, Any]) -> str:
    """Returns a Markdown table of all points, and one of the exports."""
    best = results["best_matrix_product_gflops"]
    lines = [
        "| T | units | batch | training step, ms (spread) | × Keras | × PyTorch | GFLOP/s "
        "| memory, MiB (Keras, PyTorch) | inference, ms (spread) | × Keras | × PyTorch |",
        "|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for point in results["points"]:
        shape, training = point["shape"], point["training"]
        rate = point["flops"]["training"] / training["seqclf"]["median_ms"] / 1e6
        peaks = {name: result["peak_mib"] for name, result in training.items()}
        keras_peak = min(peaks[name] for name in KERAS)
        cells = [shape["steps"], shape["units"], shape["batch"]]
        for call in CALLS:
            keras, torch = ratios(point, call)
            cells += [_time(point[call]["seqclf"]), f"{keras:.2f}", f"{torch:.2f}"]
            if call == "training":
                cells += [
                    f"{rate:.0f} ({rate / best:.0%})",
                    f"{peaks['seqclf']:.0f} ({keras_peak:.0f}, {peaks['torch']:.0f})",
                ]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    lines += ["", *_ways(results), "", *_cpu(results), ""]
    if results["exports"]:
        lines += [
            "| exported model | batch | seqclf, ms | Keras, ms | × Keras | empty, ms |",
            "|---|--:|--:|--:|--:|--:|",
        ]
        for row in results["exports"]:
            ours, theirs = row["seqclf"], row["keras"]
            lines.append(
                f"| {row['way']} | {row['batch']} | {ours:.2f} | {theirs:.2f} "
                f"| {theirs / ours:.2f} | {row['empty']:.2f} |"
            )
        lines.append("")
    return "\n".join(lines)


def _ways(results: dict[str, Any]) -> list[str]:
    """Returns a Markdown table of our ways to take a training step, beside Keras's."""
    names = [*(name for name in OURS if name in results["points"][0]["training"]), *KERAS]
    lines = [
        f"| T | units | batch | {' | '.join(f'{name}, ms, first step, s' for name in names)} |",
        "|--:|--:|--:|" + "--:|" * len(names),
    ]
    for point in results["points"]:
        shape, training = point["shape"], point["training"]
        times = [f"{_time(training[name])}, {training[name]['first_s']:.1f}" for name in names]
        cells = [shape["steps"], shape["units"], shape["batch"], *times]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return lines


def _cpu(results: dict[str, Any]) -> list[str]:
    """Returns a Markdown table of the CPU time of all threads for each call."""
    head = " | ".join(f"{call}, CPU ms | Keras | PyTorch" for call in CALLS)
    lines = [f"| T | units | batch | {head} |", "|--:|--:|--:|" + "--:|" * 3 * len(CALLS)]
    for point in results["points"]:
        cells = [point["shape"][key] for key in ("steps", "units", "batch")]
        for call in CALLS:
            cpu = {name: result["cpu_ms"] for name, result in point[call].items()}
            keras = min(cpu[name] for name in KERAS)
            cells += [f"{each:.{_digits(each)}f}" for each in (cpu["seqclf"], keras, cpu["torch"])]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return lines


def write(results: dict[str, Any], folder: Path) -> None:
    """Writes `speed.json`, `speed.md` and `speed.png`."""
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / "speed.json") as path:
        path.write_text(json.dumps(results, indent=1) + "\n")
    with replacing(folder / "speed.md") as path:
        path.write_text("\n\n".join([machine(results), summary(results), table(results)]))
    with replacing(folder / "speed.png") as path:
        _plot(results, path)


def machine(results: dict[str, Any]) -> str:
    hardware, versions = (results["environment"][key] for key in ("hardware", "versions"))
    return (
        f"{hardware['processor']}, {hardware['cores']} cores, {hardware['memory_gib']} GiB; best "
        f"matrix product {results['best_matrix_product_gflops']:.0f} GFLOP/s; TensorFlow "
        f"{versions['tensorflow']}, Keras {versions['keras']}, PyTorch {results['torch']}, Python "
        f"{versions['python']}. × is the other's time over ours: above 1 we are faster. Keras is "
        "the better of its graph and XLA variants. In the first table each cell is × Keras · "
        "× PyTorch; memory is the growth of the process's peak."
    )


def _time(result: dict[str, float]) -> str:
    digits = _digits(result["median_ms"])
    low, high = (f"{result[key]:.{digits}f}" for key in ("min_ms", "max_ms"))
    return f"{result['median_ms']:.{digits}f} ({low}–{high})"


def _digits(milliseconds: float) -> int:
    return 0 if milliseconds >= 100 else 1 if milliseconds >= 10 else 2


def _plot(results: dict[str, Any], path: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    points = _grid(results)
    units = sorted({point["shape"]["units"] for point in points})
    steps = sorted({point["shape"]["steps"] for point in points})
    figure = Figure(figsize=(3.2 * len(units) + 1, 6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, len(units), sharex=True, sharey="row", squeeze=False)
    for row, call in enumerate(CALLS):
        for column, width in enumerate(units):
            axis = axes[row][column]
            axis.axhline(1, color="black", linewidth=0.8)
            for i, length in enumerate(steps):
                chosen = sorted(
                    (point["shape"]["batch"], *ratios(point, call))
                    for point in points
                    if point["shape"]["units"] == width and point["shape"]["steps"] == length
                )
                if not chosen:
                    continue
                batch, keras, torch = zip(*chosen, strict=True)
                style = {"color": f"C{i}", "marker": "o", "markersize": 4}
                axis.plot(batch, keras, label=f"T = {length}, Keras", **style)
                axis.plot(batch, torch, "--", label=f"T = {length}, PyTorch", alpha=0.6, **style)
            axis.set_xscale("log", base=2)
            axis.set_yscale("log", base=2)
            axis.xaxis.set_major_formatter("{x:g}")
            axis.yaxis.set_major_formatter("{x:g}×")
            axis.set_title(f"{call}, {width} units")
            axis.grid(alpha=0.3)
            if row == 1:
                axis.set_xlabel("batch")
        axes[row][0].set_ylabel("times faster than")
    handles: dict[str, Any] = {}
    for axis in axes.flat:
        handles.update(zip(*axis.get_legend_handles_labels()[::-1], strict=True))
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=3)
    figure.savefig(path, format="png", dpi=110)

"""The figures of a search: score by trial, by each hyper-parameter, and over all of them."""

from typing import Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from seqclf.config.search_space import Range, SearchSpace, shown
from seqclf.experiment.figures import BLUE, ORANGE, panels
from seqclf.tuner.progress import short_names

LABEL = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1}


def score_by_trial(scores: list[float], objective: str, direction: str) -> Figure:
    """Draws the score of each trial and the best score so far.

    Args:
        scores: score of each trial, in their order; NaN for a trial that failed.
        objective: name of the objective.
        direction: `max` or `min`, whichever is better.
    """
    figure, (axes,) = panels(1, width=7.5, height=3.2)
    numbers = np.arange(1, len(scores) + 1)
    best = (np.fmax if direction == "max" else np.fmin).accumulate(np.array(scores))
    axes.plot(numbers, scores, "o", color=BLUE, markersize=4, label="trial")
    axes.step(numbers, best, where="post", color=ORANGE, label="best so far")
    failed = numbers[np.isnan(scores)]
    if len(failed) and not np.isnan(scores).all():
        axes.plot(failed, [np.nanmin(scores)] * len(failed), "x", color="grey", label="failed")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("trial")
    axes.set_ylabel(objective)
    axes.grid(alpha=0.25)
    axes.legend(frameon=False)
    return figure


def score_by_value(
    space: SearchSpace, trials: list[dict[str, Any]], scores: list[float], objective: str
) -> Figure:
    """Draws the scores against each hyper-parameter; trials in which it was inactive are left out.

    Args:
        space: the search space.
        trials: values of each completed trial, by key.
        scores: score of each completed trial.
        objective: name of the objective.
    """
    figure, all_axes = panels(len(space.declared), columns=3, width=3.3, height=2.8)
    for axes, (key, domain) in zip(all_axes, space.declared.items(), strict=True):
        active = [(t[key], s) for t, s in zip(trials, scores, strict=True) if key in t]
        values = [value for value, _ in active]
        ys = [score for _, score in active]
        if isinstance(domain, Range):
            axes.plot(values, ys, "o", color=BLUE, markersize=4, alpha=0.8)
            axes.set_xscale("log" if domain.log else "linear")
        else:
            places = np.array([domain.values.index(value) for value in values], dtype=float)
            jitter = 0.12 * np.sin(7.0 * np.arange(len(places)))  # spread, the same every time
            axes.plot(places + jitter, ys, "o", color=BLUE, markersize=4, alpha=0.8)
            axes.set_xticks(range(len(domain.values)), map(shown, domain.values))
            axes.set_xlim(-0.5, len(domain.values) - 0.5)
        axes.set_xlabel(key)
        axes.grid(alpha=0.25)
    all_axes[0].set_ylabel(objective)
    return figure


def parallel_coordinates(
    space: SearchSpace, trials: list[dict[str, Any]], scores: list[float], objective: str
) -> Figure:
    """Draws each completed trial as a line over all hyper-parameters, coloured by its score.

    The arguments are those of `score_by_value`.
    """
    keys = list(space.declared)
    figure, (axes,) = panels(1, width=max(6.5, 1.2 * (len(keys) + 1)), height=4.2)
    low, high = min(scores), max(scores)
    norm = Normalize(low, high if high > low else low + 1e-9)
    colours = ScalarMappable(norm, "viridis")
    for values, score in sorted(zip(trials, scores, strict=True), key=lambda pair: pair[1]):
        heights = [_relative_place(space, key, values) for key in keys]
        heights.append((score - low) / (high - low) if high > low else 0.5)
        axes.plot(range(len(heights)), heights, color=colours.cmap(norm(score)), alpha=0.8)
    for x, key in enumerate(keys):
        axes.axvline(x, color="black", linewidth=0.6)
        for height, text in _ticks(space, key):
            axes.text(x, height, text, size=7, ha="center", va="center", bbox=LABEL)
    names = list(short_names(dict.fromkeys(keys)))
    axes.set_xticks(range(len(keys) + 1), [*names, objective], rotation=20, ha="right")
    axes.set_yticks([])
    axes.set_ylim(-0.2, 1.08)
    figure.colorbar(colours, ax=axes, label=objective)
    return figure


def _relative_place(space: SearchSpace, key: str, values: dict[str, Any]) -> float:
    """Returns the place of a value on its axis, from 0 to 1; below 0 if the key was inactive."""
    if key not in values:
        return -0.12
    domain = space.declared[key]
    if isinstance(domain, Range):
        scale = np.log if domain.log else float
        low, high, value = scale(domain.low), scale(domain.high), scale(values[key])
        return float((value - low) / (high - low))
    return domain.values.index(values[key]) / (len(domain.values) - 1)


def _ticks(space: SearchSpace, key: str) -> list[tuple[float, str]]:
    """Returns place and text of the ticks on the axis of a key."""
    domain = space.declared[key]
    if isinstance(domain, Range):
        ticks = [(0.0, f"{domain.low:g}"), (1.0, f"{domain.high:g}")]
    else:
        last = len(domain.values) - 1
        ticks = [(i / last, shown(value)) for i, value in enumerate(domain.values)]
    return ticks + ([(-0.12, "inactive")] if domain.when else [])

"""What a language model does along a text: surprise, states and gates at every token."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure

from seqclf.data.dataset import DatasetSpec
from seqclf.data.text.tokenizer import Vocabulary
from seqclf.errors import ConfigError, DataError
from seqclf.experiment.coloured_text import draw_text, rows_of, signed_colours
from seqclf.experiment.figures import panels, save_figure
from seqclf.experiment.surprise_figure import surprise_figure
from seqclf.models.language_model import trace_text
from seqclf.storage.files import write_json

MOST_TOKENS = 2000  # of a text that is looked at
UNITS = 4  # units that are drawn where none is asked for
ROWS = 3  # of the text for each unit
LISTED = 5  # most surprising tokens that the terminal names


@dataclass(frozen=True)
class TextInspection:
    """The states, gates and predictions of a language model at each token of a text.

    Attributes:
        tokens: the T tokens, as text.
        probabilities: float32 `[T]`, the probability of each token given those before it; the first
            one, which nothing stands before, has NaN.
        expected: the token that was the most probable one at each place; "" at the first.
        values: for each layer its states and gates by name, float32 `[T, H]` each.
        total: number of tokens of the whole text, of which the first T were read.
    """

    tokens: list[str]
    probabilities: np.ndarray
    expected: list[str]
    values: list[dict[str, np.ndarray]]
    total: int

    @property
    def bits(self) -> np.ndarray:
        """The surprise of each token in bits, `[T]`; NaN for the first."""
        bits: np.ndarray = -np.log2(np.maximum(self.probabilities, 1e-30))
        return bits


def inspect_text(model: keras.Model, spec: DatasetSpec, text: str) -> TextInspection:
    """Reads a text from a zero state, and keeps what happens at every token.

    Args:
        model: a language model.
        spec: the spec of the text that it was trained on.
        text: the text; of a long one the first 2,000 tokens are read.

    Raises:
        DataError: it has fewer than two tokens.
    """
    assert spec.tokens
    indices = Vocabulary(spec.class_names, spec.tokens).indices_of([text]).flat_values.numpy()
    total, indices = len(indices), indices[:MOST_TOKENS]
    if len(indices) < 2:
        raise DataError(
            f"A text must have two tokens at least, one to read and one to predict. Received: "
            f"{text!r:.60}, {len(indices)} {spec.tokens.kind}"
        )
    logits, traces = trace_text(model, indices[None])
    shifted = np.asarray(logits[0], np.float64)
    shifted = np.exp(shifted - shifted.max(-1, keepdims=True))
    probabilities = shifted / shifted.sum(-1, keepdims=True)  # [T, V]
    given = probabilities[np.arange(len(indices) - 1), indices[1:]]
    names = spec.class_names
    return TextInspection(
        tokens=[names[i] for i in indices],
        probabilities=np.concatenate([[np.nan], given]).astype(np.float32),
        expected=["", *(names[i] for i in probabilities[:-1].argmax(-1))],
        values=[
            {name: np.asarray(v[0], np.float32) for name, v in (t.states | t.gates).items()}
            for t in traces
        ],
        total=total,
    )


def chosen_units(inspection: TextInspection, asked: Sequence[str] = ()) -> list[tuple[int, int]]:
    """Returns the units to draw, as layer and unit from 1 on.

    Args:
        inspection: what a language model does along a text.
        asked: units as `LAYER:UNIT`; (): those of the last layer whose state is nearest to 1 or -1
            most of the time and on both sides: they tell two things apart.

    Raises:
        ConfigError: there is no such unit.
    """
    if not asked:
        last = inspection.values[-1]["state"]
        order = np.argsort(-last.std(axis=0), kind="stable")[:UNITS]
        return [(len(inspection.values), int(unit) + 1) for unit in order]
    units = []
    for text in asked:
        layer, _, unit = text.partition(":")
        widths = [values["state"].shape[1] for values in inspection.values]
        right = layer.isdecimal() and unit.isdecimal() and 1 <= int(layer) <= len(widths)
        if not right or not 1 <= int(unit) <= widths[int(layer) - 1]:
            raise ConfigError(
                "--units must be LAYER:UNIT, counted from 1, of a model with layers of "
                f"{', '.join(map(str, widths))} units. Received: {text!r}"
            )
        units.append((int(layer), int(unit)))
    return units


def units_figure(
    inspection: TextInspection, units: Sequence[tuple[int, int]], value: str = "state"
) -> Figure:
    """Draws the text once for each unit, coloured by its state or by one of its gates.

    Args:
        inspection: what a language model does along a text.
        units: layer and unit, from 1 on.
        value: `state`, which is drawn from -1 (blue) to 1 (orange), or the name of a gate, which is
            drawn from 0 (white) to 1 (orange).
    """
    rows = len(rows_of(inspection.tokens, ROWS))
    figure, axes = panels(len(units), width=9.5, height=0.36 * rows + 0.5, columns=1)
    for one, (layer, unit) in zip(axes, units, strict=True):
        values = inspection.values[layer - 1][value][:, unit - 1]
        draw_text(one, inspection.tokens, signed_colours(values), ROWS)
        one.set_title(f"layer {layer}, unit {unit}: {value.replace('_', ' ')}", size=9)
    return figure


def write_text_inspection(
    inspection: TextInspection, units: Sequence[tuple[int, int]], folder: Path
) -> list[Path]:
    """Writes the figures of an inspection and `reading.json`; returns the files."""
    drawn = {
        "surprise": surprise_figure(
            inspection.tokens, np.log(np.nan_to_num(inspection.probabilities, nan=1.0)), "the text"
        )
    }
    for value in inspection.values[-1]:
        if value != "cell_state":  # it has no limits to colour it by
            drawn[f"units_{value}"] = units_figure(inspection, units, value)
    for name, figure in drawn.items():
        save_figure(figure, folder / f"{name}.png")
    content = {
        "tokens": inspection.tokens,
        "probabilities": [None, *map(_rounded, inspection.probabilities[1:])],
        "expected": inspection.expected,
        "bits_per_token": float(np.nanmean(inspection.bits)),
        "units": [
            {
                "layer": layer,
                "unit": unit,
                **{
                    name: [_rounded(v) for v in values[:, unit - 1]]
                    for name, values in inspection.values[layer - 1].items()
                },
            }
            for layer, unit in units
        ],
    }
    write_json(folder / "reading.json", content)
    return [*(folder / f"{name}.png" for name in drawn), folder / "reading.json"]


def _rounded(value: Any) -> float | None:
    return round(float(value), 6) if math.isfinite(value) else None


def text_inspection_in_words(name: str, inspection: TextInspection) -> str:
    """Returns how surprising a text was, as lines for the terminal."""
    bits = inspection.bits
    cut = f"the first {len(bits):,} of " if inspection.total > len(bits) else ""
    lines = [f"{name}: {cut}{inspection.total:,} tokens, {np.nanmean(bits):.3f} bits each"]
    for place in np.argsort(-np.nan_to_num(bits), kind="stable")[:LISTED]:
        before = "".join(inspection.tokens[max(0, place - 20) : place]).replace("\n", " ")
        lines.append(
            f"  {bits[place]:5.1f} bits  …{before:>20}[{inspection.tokens[place]!r}]"
            f"   expected {inspection.expected[place]!r}"
        )
    return "\n".join(lines)

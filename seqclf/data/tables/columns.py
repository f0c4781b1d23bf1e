"""Finds out which column of a table holds what: as the config says, or by well-known names.

A column is taken by its name only where there is exactly one of that meaning, and the notes say so.
"""

import dataclasses
import difflib
from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from seqclf.config import DataConfig
from seqclf.data.table_layout import TableLayout, listed_names, mark
from seqclf.data.tables.csv_errors import DECIMAL_COMMA, unfit
from seqclf.data.tables.lookalikes import group_note
from seqclf.data.tables.table import (
    Table,
    is_number_text,
    is_text,
    listed,
    not_read,
    number_columns,
)
from seqclf.errors import ConfigError, DataError

# The names, in small letters, by which a column is found whose key is left out.
KNOWN = {
    "id": (
        *("id", "sequence", "sequence_id", "seq_id", "series", "series_id", "run", "run_id"),
        *("recording", "recording_id", "example", "example_id"),
    ),
    "time": ("time", "t", "timestamp", "datetime", "date", "step", "time_step", "timestep"),
    "label": ("label", "class", "target", "y"),
    "split": ("split", "set", "subset"),
}
NUMBER = r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*"
ROLES = ("id", "time", "label", "group", "split", "weight")


def layout_of(table: Table, config: DataConfig) -> tuple[TableLayout, tuple[str, ...]]:
    """Returns the layout of a table, and what people must know of how it was found.

    Args:
        table: the table; only its header and its first rows are looked at.
        config: the columns that the user names, and the form.

    Raises:
        DataError: a column is missing, or cannot be found because none or several may be meant.
        ConfigError: keys contradict each other.
    """
    features = listed_names(config.features)
    given = {role: getattr(config, role).strip() for role in ROLES if getattr(config, role).strip()}
    check_present(table, [*given.values(), *features])
    _check_given(given, features)
    found = dict(given)
    for role in ("id", "label", "time", "split"):
        if role not in given and (name := _known(table, role, given, features)):
            found[role] = name
    if "label" not in found:
        raise DataError(
            f"{table.where}: no column is called {', '.join(KNOWN['label'])}: name the column with "
            f"the class in `data.label`. {_columns(table)}"
        )
    form, notes = _form(table, config, given, found)
    if form == "wide":
        found.pop("time", None)
    guessed = [f"data.{role}={name}" for role, name in found.items() if role not in given]
    if guessed:
        notes.insert(0, f"by the names of the columns: {', '.join(guessed)}")
    values, said = _values(table, form, features, set(found.values()))
    weight = found.pop("weight", "")  # predictions need none, so it is no part of the layout
    layout = TableLayout(
        form=form,
        **found,
        values=values,
        separator=mark(config.separator),
        decimal=config.decimal,
        window=config.window,
        stride=config.stride or config.window,
        window_label=config.window_label,
    )
    notes += said
    if form == "long" and not layout.time:
        notes.append("no column for `data.time`: the rows of a sequence are taken in their order")
    notes += group_note(table, layout, weight)
    return layout, tuple(notes)


def check_present(table: Table, names: Iterable[str]) -> None:
    """Checks that a table has columns.

    Raises:
        DataError: some are missing; the message has them all, and what names are alike.
    """
    missing = [name for name in dict.fromkeys(names) if name not in table.columns]
    if not missing:
        return
    alike = []
    for name in missing:
        lower = {other.lower(): other for other in table.columns}
        close = difflib.get_close_matches(name.lower(), list(lower), 3)
        similar = f" (similar: {', '.join(lower[c] for c in close)})" if close else ""
        alike.append(repr(name) + similar)
    raise DataError(
        f"{table.where}: there is no column {listed(alike)}. {_columns(table)}"
        + _perhaps_no_header(table)
    )


def _columns(table: Table) -> str:
    return f"The columns are: {listed([n or repr(n) for n in table.columns], 40)}."


def _perhaps_no_header(table: Table) -> str:
    if table.kind == "CSV" and any(map(is_number_text, table.columns)):
        return " The first line must be a header with the names of the columns."
    return ""


def _check_given(given: dict[str, str], features: tuple[str, ...]) -> None:
    for role, name in given.items():
        other = next((r for r, n in given.items() if n == name and r != role), None)
        if other or (role != "time" and name in features):
            raise ConfigError(
                f"`data.{role}` and `data.{other or 'features'}` must name different columns. "
                f"Received: {name!r} for both"
            )
    if len(set(features)) < len(features):
        raise ConfigError(f"`data.features` must differ. Received: {', '.join(features)}")


def _known(table: Table, role: str, given: dict[str, str], features: tuple[str, ...]) -> str | None:
    """Returns the only column with a well-known name of a role, or None if there is none."""
    taken = {*given.values(), *features}
    names = [n for n in table.columns if n.lower() in KNOWN[role] and n not in taken]
    if len(names) > 1:
        raise DataError(
            f"{table.where}: the columns {' and '.join(names)} may each be meant: name one of them "
            f"in `data.{role}`, or those that the model reads in `data.features`. {_columns(table)}"
        )
    return names[0] if names else None


def _form(
    table: Table, config: DataConfig, given: dict[str, str], found: dict[str, str]
) -> tuple[str, list[str]]:
    """Returns the form of a table, with a note if it was found out."""
    if config.form == "wide":
        if "time" in given:
            raise ConfigError(
                "`data.time` is for the long form: in the wide form the columns are the time "
                f"steps. Received: {given['time']!r} with form 'wide'"
            )
        return "wide", []
    if "id" not in found and (config.form == "long" or config.window or config.label_per_step):
        if config.window:
            return "long", ["no column for `data.id`: the whole table is one recording"]
        raise DataError(
            f"{table.where}: the long form needs the column that tells which sequence a row "
            f"belongs to: name it in `data.id`. {_columns(table)} If the table is one recording, "
            "cut it into windows (`data.window`)."
        )
    if config.form == "long" or config.label_per_step:
        return "long", []
    said = "data.form={}: {}".format
    if "id" in found and _repeats(table, found["id"]):
        return "long", [said("long", f"the values of {found['id']} repeat")]
    if "time" not in found:
        why = f"the values of {found['id']} differ" if "id" in found else "there is no `data.id`"
        return "wide", [said("wide", f"{why}, so each row is a sequence")]
    if "id" in given and "time" in given:
        return "long", [said("long", "`data.id` and `data.time` are named")]
    lacking = "the values of `data.id` differ" if "id" in found else "no column for `data.id`"
    raise DataError(
        f"{table.where}: one row may be one time step (there is the column {found['time']}) or a "
        f"whole sequence ({lacking}): set `data.form` to long, with `data.id`, or to wide. "
        f"{_columns(table)}"
    )


def _repeats(table: Table, name: str) -> bool:
    column = table.sample.column(name)
    return len(pc.unique(column)) < len(column)


def _values(
    table: Table, form: str, features: tuple[str, ...], taken: set[str]
) -> tuple[tuple[str, ...], list[str]]:
    """Returns the columns of values, with notes about those that were not named."""
    if features:
        return features, []
    rest = {n: kind for n, kind in table.columns.items() if n not in taken}
    _check_nearly_numbers(table, rest)
    values, others = number_columns(rest)
    if not values:
        raise DataError(
            f"{table.where}: no column of numbers is left that the model could read: name them in "
            f"`data.features`. {_columns(table)}"
        )
    what = "time steps" if form == "wide" else "features"
    note = f"data.features: all other numbers are {what}: {listed(values)}"
    return tuple(values), [note, *not_read(others)]


def _check_nearly_numbers(table: Table, kinds: dict[str, pa.DataType]) -> None:
    """Raises DataError if most values of a column of text are numbers, or would be with commas."""
    if table.kind != "CSV":
        return
    for name in (name for name, kind in kinds.items() if is_text(kind)):
        texts = table.sample.column(name)
        filled = pc.sum(pc.not_equal(pc.utf8_trim_whitespace(texts), "")).as_py()
        for pattern in (NUMBER, DECIMAL_COMMA.pattern):
            matches = pc.match_substring_regex(texts, f"^({pattern}|\\s*)$")
            if 2 * (pc.sum(matches).as_py() - len(texts) + filled) > filled:
                break
        else:
            continue
        # pyarrow reads no column with a value of blanks alone as numbers.
        fits = pc.match_substring_regex(texts, f"^({NUMBER}|)$")
        row = 0 if pattern != NUMBER else pc.index(fits, False).as_py()
        value, place = texts[row].as_py(), table.place(row)
        raise unfit(table.where, place, name, value, table.decimal)


def with_columns(layout: TableLayout, present: Iterable[str]) -> TableLayout:
    """Returns a layout without those of its columns that a table need not have and has not."""
    there = set(present)
    gone: dict[str, Any] = {
        r: "" for r in ("label", "group", "split") if getattr(layout, r) not in there
    }
    return dataclasses.replace(layout, **gone)

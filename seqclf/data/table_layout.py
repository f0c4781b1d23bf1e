"""`TableLayout`: how a table holds sequences; predictions read new tables by it."""

import dataclasses
from dataclasses import dataclass
from typing import Any

FORMS = ("long", "wide")


@dataclass(frozen=True)
class TableLayout:
    """The columns of a table of sequences, and how its text is written.

    Attributes:
        form: `long` (one row for each time step) or `wide` (one row for each sequence, one column
            for each time step of its only feature).
        id: name of the column that tells which sequence a row belongs to; "": there is none.
        time: name of the column by which the rows of a sequence are sorted; "": there is none.
        label: name of the column with the class.
        group: name of the column with the group of a sequence; "": there is none.
        split: name of the column that says which split a sequence belongs to; "": there is none.
        values: names of the columns with the features (long), or with the time steps (wide), in
            the order in which the model reads them.
        separator: the character between two values of a CSV file.
        decimal: the decimal mark of a CSV file.
        window: the number of rows of a window that a recording is cut into; 0: it is not cut.
        stride: the number of rows between the beginnings of two windows.
        window_label: which label a window has whose rows have several: `majority` or `last`.
    """

    form: str
    id: str = ""
    time: str = ""
    label: str = ""
    group: str = ""
    split: str = ""
    values: tuple[str, ...] = ()
    separator: str = ","
    decimal: str = "."
    window: int = 0
    stride: int = 0
    window_label: str = "majority"

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "TableLayout":
        """Returns the layout of a dictionary that `dataclasses.asdict` and JSON made.

        Raises:
            ValueError: a value is not what it must be.
            TypeError: a field is missing or unknown.
        """
        arguments: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in fields.items()
        }
        layout, example = cls(**arguments), cls(form="long")
        for field in dataclasses.fields(cls):
            value = getattr(layout, field.name)
            if type(value) is not type(getattr(example, field.name)):
                raise ValueError(f"table: {field.name} cannot be {value!r:.80}")
        if layout.form not in FORMS or not all(isinstance(name, str) for name in layout.values):
            raise ValueError(f"table: form and values cannot be {layout.form!r:.80}")
        return layout


def mark(separator: str) -> str:
    """Returns the character that `data.separator` stands for."""
    return "\t" if separator == "tab" else separator


def listed_names(names: str) -> tuple[str, ...]:
    """Returns the names that a text holds, separated by commas.

    Example:
        >>> listed_names("temp, vib")
        ('temp', 'vib')
    """
    return tuple(name.strip() for name in names.split(",") if name.strip())

"""Pieces of Markdown that the generated pages are made of."""

from collections.abc import Iterable, Sequence


def code(text: object) -> str:
    """Returns a text as code."""
    return f"`{text}`"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Returns the lines of a table; columns in which no row has anything are left out."""
    rows = list(rows)
    kept = [i for i, name in enumerate(head) if not i or any(row[i] for row in rows)]
    lines = [[head[i] for i in kept], ["---"] * len(kept)]
    lines += [[row[i].replace("|", r"\|").replace("\n", " ") for i in kept] for row in rows]
    return ["| " + " | ".join(line) + " |" for line in lines]

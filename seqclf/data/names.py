"""Checks the names of classes: whether they can be shown on one line and told apart."""

import unicodedata
from collections.abc import Sequence

from seqclf.errors import DataError

# Control characters, surrogates (bytes of a file name that are no text), line and paragraph breaks.
REFUSED = ("Cc", "Cs", "Zl", "Zp")
# Characters that are not seen and change the text around them: directions, the byte order mark.
# Joiners stay: Persian, Hindi and emoji of families are written with them.
UNSEEN = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def check_names(names: Sequence[str], kind: str, origin: str) -> None:
    """Checks that names are text on one line and differ from each other.

    Args:
        names: the names, in order.
        kind: what is named, such as "class".
        origin: the name of the file or dataset, for messages.

    Raises:
        DataError: a check fails; the message shows the first bad name.
    """
    seen: dict[str, int] = {}
    plural = f"{kind}{'es' if kind.endswith('s') else 's'}"
    for i, name in enumerate(names):
        if not name.strip():
            raise DataError(
                f"{origin}: a {kind} name must be text on one line. "
                f"Received: {name!r} for {kind} {i}"
            )
        if bad := next(filter(_is_refused, name), None):
            raise DataError(
                f"{origin}: a {kind} name must be text on one line, without control characters. "
                f"Received: {name!r} for {kind} {i}, which has {_described(bad)}"
            )
        same = seen.setdefault(unicodedata.normalize("NFC", name), i)
        if same != i:
            raise DataError(
                f"{origin}: {kind} names must differ. Received: {name!r} for the {plural} {same} "
                f"and {i}{_how_alike(name, names[same])}"
            )


def _how_alike(name: str, other: str) -> str:
    if name == other:
        return ""
    return (
        ", which look alike: one is written with separate accents (Unicode NFD: "
        f"{unicodedata.normalize('NFD', name)!a}), the other without (NFC: "
        f"{unicodedata.normalize('NFC', name)!a})"
    )


def _is_refused(character: str) -> bool:
    return unicodedata.category(character) in REFUSED or character in UNSEEN


def _described(character: str) -> str:
    if unicodedata.category(character) == "Cs":
        return "bytes that are no UTF-8"
    return unicodedata.name(character, f"the character U+{ord(character):04X}")

"""Class names, feature names and other text of the user's, written for those who interpret marks.

Markdown takes `<unk>` for a tag and `_silence_` for emphasis; matplotlib takes `$…$` for a formula.
What these functions return is shown as the name itself.
"""

import re

LONGEST_LABEL = 24  # characters; longer labels leave no room for the figure itself
# An underscore between letters or digits marks nothing.
_MARKS = re.compile(r"[\\`*{}\[\]<>&|~$]|(?<![^\W_])_|_(?![^\W_])")
_MARK_OF_A_LINE = re.compile(r"^([#+=:-]|\d+(?=[.)](\s|$)))")
_OUTER_SPACES = re.compile(r"^ +| +$")
_RUN_OF_BACKTICKS = re.compile("`+")


def in_markdown(text: str) -> str:
    """Returns text that Markdown shows as `text`, in a paragraph or in the cell of a table.

    Line breaks become spaces.

    Args:
        text: any text, such as a class name.
    """
    line = " ".join(text.splitlines())
    escaped = _MARKS.sub(r"\\\g<0>", line)
    if mark := _MARK_OF_A_LINE.match(escaped):  # a heading or a list, if a line began with it
        end = mark.end() if mark.group(1).isdigit() else 0
        escaped = f"{escaped[:end]}\\{escaped[end:]}"
    return _OUTER_SPACES.sub(lambda spaces: "&#32;" * len(spaces[0]), escaped)


def code_in_markdown(text: str) -> str:
    """Returns text that Markdown shows as `text` in type for code, outside of tables."""
    line = " ".join(text.splitlines())
    longest = max(map(len, _RUN_OF_BACKTICKS.findall(line)), default=0)
    fence = "`" * (longest + 1)
    space = " " if line[:1] in ("`", " ") or line[-1:] in ("`", " ") else ""
    return f"{fence}{space}{line}{space}{fence}"


def in_figure(text: str, longest: int = LONGEST_LABEL) -> str:
    """Returns text that matplotlib draws as `text`.

    Args:
        text: any text, such as a class name.
        longest: the largest number of characters; longer text ends in "…".
    """
    line = " ".join(text.splitlines())
    if len(line) > longest:
        line = line[: longest - 1] + "…"
    return line.replace("$", r"\$")

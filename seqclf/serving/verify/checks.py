"""`Check`: the outcome of one rule, and the table of all outcomes for people."""

from collections.abc import Sequence
from dataclasses import dataclass

SHOWN = 3  # problems named in a line; the rest are counted


@dataclass(frozen=True)
class Check:
    """The outcome of one rule.

    Attributes:
        rule: short name of the rule, the same in every release.
        passed: whether the rule holds; None where it was not judged or does not apply.
        detail: one line: what was found, what is wrong and how to mend it, or why the rule was
            skipped.
    """

    rule: str
    passed: bool | None
    detail: str


def judge(rule: str, problems: Sequence[str], found: str, remedy: str = "") -> Check:
    """Returns a failure that lists the problems and the remedy, or a success if there are none.

    Args:
        rule: name of the rule.
        problems: what is wrong; only the first `SHOWN` are named.
        found: what was found if nothing is wrong.
        remedy: what to do about the problems.
    """
    if not problems:
        return Check(rule, True, one_line(found))
    more = f" (and {len(problems) - SHOWN} more)" if len(problems) > SHOWN else ""
    listed = "; ".join(one_line(problem) for problem in problems[:SHOWN]) + more
    return Check(rule, False, f"{listed}: {remedy}" if remedy else listed)


def skipped(rule: str, reason: str) -> Check:
    """Returns the outcome of a rule that was not judged."""
    return Check(rule, None, one_line(reason))


def one_line(text: str, limit: int = 320) -> str:
    """Returns a text of several lines, such as a message of TensorFlow, as one shortened line.

    Args:
        text: the text.
        limit: largest number of characters in the result.
    """
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 3] + "..."


def describe_checks(checks: Sequence[Check]) -> str:
    """Returns a table for people: one line for each check, and a last line that counts them."""
    words = {True: "ok", False: "FAILED", None: "skipped"}
    width = max((len(check.rule) for check in checks), default=0)
    lines = [f"{words[c.passed]:<8} {c.rule:<{width}}  {c.detail}" for c in checks]
    outcomes = [check.passed for check in checks]
    lines.append(
        f"{outcomes.count(True)} ok, {outcomes.count(False)} failed, {outcomes.count(None)} skipped"
    )
    return "\n".join(lines)

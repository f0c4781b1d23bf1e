"""All config keys as a page of the docs: `python -m seqclf.config.reference > docs/config.md`."""

from seqclf.config.groups import GROUPS
from seqclf.config.schema import Config
from seqclf.config.settings import Group, Setting


def reference() -> str:
    """Returns the page, in Markdown: one table for the config and one for each group."""
    lines = [
        "# The config",
        "",
        "Every number that decides a run, with its default and the values that are allowed. A",
        "recipe sets keys in Python; `--config.KEY=VALUE` changes one on the command line.",
        "`seqclf train --help=config` prints the same list, and this page is written by",
        "`python -m seqclf.config.reference`.",
        "",
    ]
    groups: list[type[Group]] = [Config, *GROUPS.values()]
    for group in groups:
        title = f"`{group.prefix.rstrip('.')}`" if group.prefix else "At the top level"
        lines += [f"## {title}", "", *(_about(group)), *_table(group), ""]
    return "\n".join(lines)


def _about(group: type[Group]) -> list[str]:
    doc = (group.__doc__ or "").strip().splitlines()[0]
    return [doc, ""]


def _table(group: type[Group]) -> list[str]:
    lines = ["| key | default | allowed | meaning |", "|---|---|---|---|"]
    for name, known in group.settings():
        cells = [f"`{group.prefix}{name}`", f"`{_default(known)}`", known.allowed(), known.doc]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return lines


def _default(known: Setting) -> str:
    return repr(list(known.default) if known.kind is tuple else known.default)


if __name__ == "__main__":
    print(reference(), end="")

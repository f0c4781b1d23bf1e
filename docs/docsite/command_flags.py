"""The flags of all commands as Markdown, from the flags that the commands define.

Each command is imported in a process of its own, because two commands may define one flag.
"""

import importlib
import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

from docsite.markdown import code, table

ROOT = Path(__file__).resolve().parents[2]


def page() -> str:
    """Returns a section for each command: its docstring, then a table of its flags."""
    from seqclf.__main__ import COMMANDS

    return "\n".join(line for name in COMMANDS for line in _section(name, described(name)))


def described(command: str) -> dict[str, Any]:
    """Returns the docstring (`doc`) and the flags (`flags`) of a command."""
    places = [str(ROOT), str(ROOT / "docs"), os.environ.get("PYTHONPATH")]
    path = os.pathsep.join(filter(None, places))
    done = subprocess.run(
        [sys.executable, "-m", "docsite.command_flags", f"seqclf.{command}"],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"The flags of seqclf.{command} cannot be read:\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _section(name: str, found: dict[str, Any]) -> list[str]:
    lines = [f"## seqclf {name}", ""]
    for paragraph in found["doc"].strip().split("\n\n"):
        if paragraph.startswith(("    ", "python -m ")):
            lines += ["```sh", textwrap.dedent(paragraph.strip("\n")), "```", ""]
        else:
            lines += [_escaped(paragraph), ""]
    rows = [
        [
            code(f"--[no]{each['name']}" if each["kind"] == "bool" else f"--{each['name']}"),
            code(each["default"]) if each["default"] is not None else "",
            _escaped(" ".join(filter(None, [each["help"], _takes(each["allowed"])]))),
        ]
        for each in found["flags"]
    ]
    return [*lines, *table(["flag", "default", "meaning"], rows), ""]


def _takes(allowed: str) -> str:
    return f"It takes {allowed}." if allowed else ""


def _escaped(text: str) -> str:
    return text.replace("<", "&lt;").replace("*", r"\*")


def flags_of(module: str) -> dict[str, Any]:
    """Imports the module of a command; returns its docstring and its flags, in their order."""
    from absl import flags

    command = importlib.import_module(module)
    return {
        "doc": command.__doc__ or "",
        "flags": [
            {
                "name": flag.name,
                "kind": flag.flag_type(),
                "default": _default(flag.default),
                "allowed": _allowed(flag),
                # absl puts the names that a flag takes before its help
                "help": re.sub(r"^<[^>]*>: ", "", " ".join(flag.help.split())),
            }
            for flag in flags.FLAGS.get_key_flags_for_module(module)
        ],
    }


def _default(value: Any) -> str | None:
    if isinstance(value, list):
        return ",".join(map(str, value)) or None
    return None if value is None or value == "" else str(value)


def _allowed(flag: Any) -> str:
    """Returns what a flag takes, in words."""
    names = getattr(flag.parser, "enum_values", None)
    kind = flag.flag_type()
    if names:
        return "one of " + ", ".join(name for name in names if name)
    if kind == "bool":
        return ""
    if kind in ("int", "float"):
        low, high = (getattr(flag.parser, f"{side}_bound", None) for side in ("lower", "upper"))
        words = ["an integer" if kind == "int" else "a number"]
        words += [f"from {low}"] if low is not None else []
        words += [f"to {high}"] if high is not None else []
        return " ".join(words)
    return "a list, separated by commas" if "comma" in kind else ""


if __name__ == "__main__":
    print(json.dumps(flags_of(sys.argv[1])))

"""The command `seqclf`: `seqclf train …` is `python -m seqclf.train …`."""

import ast
import os
import runpy
import sys
from pathlib import Path

COMMANDS = (
    *("train", "evaluate", "tune", "compare", "explain"),
    *("export", "predict", "generate", "serve", "shard"),
)


def main() -> None:
    """Runs the command that the first argument names, with the arguments after it."""
    name, rest = (sys.argv[1], sys.argv[2:]) if len(sys.argv) > 1 else ("--help", [])
    if name in ("--help", "-h", "-help", "help"):
        _show(usage())
    elif name == "--version":
        from seqclf.console.about import about

        _show(about())
    elif name in COMMANDS:
        sys.argv[1:] = rest
        # As `python -m` does: the command's module is the main module, whose flags --help lists.
        runpy.run_module(f"seqclf.{name}", run_name="__main__", alter_sys=True)
    else:
        print(f"error: No such command: {name!r}.\n\n{usage()}", file=sys.stderr)
        sys.exit(2)


def _show(text: str) -> None:
    try:
        print(text, flush=True)
    except BrokenPipeError:  # the program that reads the output, such as `head`, has ended
        os._exit(141)


def usage() -> str:
    """Returns the list of commands, each with the first line of its docstring."""
    folder = Path(__file__).parent
    lines = []
    for name in COMMANDS:  # read as text: to import a command would define its flags
        doc = ast.get_docstring(ast.parse((folder / f"{name}.py").read_text("utf-8"))) or ""
        lines.append(f"  {name:10}{doc.splitlines()[0]}")
    return "\n".join(
        [
            "Usage: seqclf COMMAND [--flag=value …]",
            "",
            *lines,
            "",
            "seqclf COMMAND --help    lists the flags of a command",
            "seqclf train --help=config    lists the keys of the config",
            "seqclf --version    prints the versions of seqclf, TensorFlow and Keras",
        ]
    )


if __name__ == "__main__":
    main()

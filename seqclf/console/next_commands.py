"""The commands that a command suggests when it ends, ready to be pasted into a shell."""

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path


def command_line(module: str, flags: Mapping[str, object], *arguments: object) -> str:
    """Returns the line that runs a module with this Python, quoted for a shell.

    Args:
        module: the module that `python -m` runs, such as `seqclf.train`.
        flags: value of each flag, without the dashes before its name.
        arguments: the positional arguments.
    """
    words = [shlex.quote(_python()), "-m", module]
    words += [f"--{name}={shlex.quote(str(value))}" for name, value in flags.items()]
    for argument in map(str, arguments):
        words.append(shlex.quote(f"./{argument}" if argument.startswith("-") else argument))
    return " ".join(words)


def next_block(*lines: str) -> list[str]:
    """Returns the block `Next:` of what a command prints at its end, as lines.

    Args:
        lines: results of `command_line`.
    """
    return ["Next:", *(f"  {line}" for line in lines)]


def _python() -> str:
    """Returns how the user calls this Python: by a relative path if it is below this folder."""
    executable = Path(sys.executable)
    if executable.is_relative_to(Path.cwd()):
        return str(executable.relative_to(Path.cwd()))
    return "python"

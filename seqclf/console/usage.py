"""What `--help` prints."""

import sys

from absl import flags

from seqclf.config import SCHEMA

SHORT = ("--help", "-help", "-h", "--helpshort", "-helpshort")
FULL = ("--helpfull", "-helpfull")
KEYS = ("--help=config", "-help=config")


def asked_for_help(argv: list[str]) -> str | None:
    """Returns the text that the arguments ask for, None if they do not ask for help.

    Args:
        argv: the program's name and its arguments.
    """
    for argument in argv[1:]:
        if argument == "--":
            return None
        if argument in SHORT:
            own = flags.FLAGS.main_module_help().strip().splitlines()
            return _of_command("\n".join(own[1:]))  # the first line is the module's path
        if argument in FULL:
            return _of_command(flags.FLAGS.get_help())
        if argument in KEYS:
            return keys()
    return None


def keys() -> str:
    """Returns all config keys with default, allowed values and meaning."""
    lines = ["Keys of the config; --config.KEY=VALUE changes one.", ""]
    for key, known in SCHEMA.items():
        default = list(known.default) if known.kind is tuple else known.default
        lines += [f"{key} = {default!r}", f"    {known.allowed()}", f"    {known.doc}"]
    return "\n".join(lines)


def _of_command(flag_help: str) -> str:
    doc = sys.modules["__main__"].__doc__ or ""
    return f"{doc.strip()}\n\nFlags:\n{flag_help}\n"

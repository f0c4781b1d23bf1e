"""What all commands share: flags, one clear message for what the user can mend, exit status."""

import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from absl import app, flags
from ml_collections import config_flags

from seqclf.config import SCHEMA, unknown_key
from seqclf.errors import ConfigError, SeqclfError

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # start-up notes of TensorFlow's are no news

DEFAULT_RECIPE = str(Path(__file__).with_name("default_recipe.py"))
OVERRIDE = re.compile(r"--?(?:no)?config\.([^=]+)(?:=|$)")


def define_config_flag() -> Any:
    """Defines `--config=FILE` and `--config.KEY=VALUE`; returns the flag's holder."""
    return config_flags.DEFINE_config_file(
        "config", DEFAULT_RECIPE, "Recipe file, such as configs/mnist.py; --config.KEY=VALUE overrides."
    )


def run(main: Callable[[Sequence[str]], None], arguments: bool = False) -> None:
    """Runs a command: parses flags, calls `main`, exits with 0, 1, 2 or 130.

    Args:
        main: takes the program's name and its positional arguments.
        arguments: whether there may be positional arguments.
    """

    def guarded(argv: Sequence[str]) -> None:
        try:
            if not arguments and len(argv) > 1:
                raise ConfigError(f"Only flags are taken. Received: {' '.join(argv[1:])}")
            main(argv)
        except SeqclfError as error:
            fail(error, error.exit_status)
        except KeyboardInterrupt:
            print("\nInterrupted. Nothing is lost that was saved.", file=sys.stderr)
            sys.exit(130)

    app.run(guarded, flags_parser=_parse)


def fail(error: object, status: int) -> None:
    """Prints one message to standard error and exits."""
    print(f"error: {error}", file=sys.stderr, flush=True)
    sys.exit(status)


def python_command() -> str:
    """Returns how the user calls this Python, for the commands that are printed."""
    executable = Path(sys.executable)
    if executable.is_relative_to(Path.cwd()):
        return str(executable.relative_to(Path.cwd()))
    return "python"


def _parse(argv: list[str]) -> list[str]:
    try:
        overrides = [match[1] for match in map(OVERRIDE.match, argv[1:]) if match]
        for key in overrides:
            if key not in SCHEMA:
                raise ConfigError(unknown_key(key))
        _check_config_file(argv)
        return flags.FLAGS(argv)
    except SeqclfError as error:
        fail(error, error.exit_status)
    except flags.Error as error:
        expected = [
            f"\n`{key}` takes {SCHEMA[key].kind.__name__} values: {SCHEMA[key].doc}"
            for key in overrides
            if f"config.{key}=" in str(error)
        ]
        fail(f"{error}{''.join(expected)}\nSee --help.", 2)
    except Exception as error:  # a recipe is the user's own Python: whatever it raises is his
        fail(f"The config could not be read: {type(error).__name__}: {error}", 2)
    raise AssertionError("unreachable")


def _check_config_file(argv: list[str]) -> None:
    for position, argument in enumerate(argv):
        if argument in ("--config", "-config") and position + 1 < len(argv):
            path = argv[position + 1]
        elif argument.startswith(("--config=", "-config=")):
            path = argument.partition("=")[2]
        else:
            continue
        if not Path(path).is_file():
            raise ConfigError(f"--config: no such file: {path!r}")

"""What all commands share: flags, one clear message for what the user can mend, exit status."""

import contextlib
import os
import re
import runpy
import shlex
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from absl import app, flags, logging
from ml_collections import config_flags

from seqclf.config import SCHEMA, unknown_key
from seqclf.console.signals import interrupting
from seqclf.errors import ConfigError, Interrupted, SeqclfError, WorkerLostError

DEFAULT_RECIPE = str(Path(__file__).parents[1] / "config" / "default_recipe.py")
JSON_RECIPE = str(Path(__file__).parents[1] / "config" / "json_recipe.py")
LOG_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
# What TensorFlow says at every start on a machine without a GPU, whatever its log level is set to
# (tensorflow issue 100442).
NO_NEWS = re.compile(
    r"^(I0000 |WARNING: All log messages before absl::InitializeLog|"
    r"To enable the following instructions|E0000 .* failed call to cuInit: .*303)"
)
GO_ON = "Run the same command again to go on."
SHARED = (
    "Run the same command again on all workers to go on from the last checkpoint; those that still "
    "run end by themselves."
)
OVERRIDE = re.compile(r"--?(?:no)?config\.([^=]+)(?:=|$)")


def define_config_flag() -> Any:
    """Defines `--config=FILE` and `--config.KEY=VALUE`; returns the flag's holder."""
    return config_flags.DEFINE_config_file(
        "config",
        None,
        "Recipe file, such as configs/mnist.py, or a config as JSON, such as that of a run; "
        "--config.KEY=VALUE changes a key.",
    )


def run(
    main: Callable[[Sequence[str]], None],
    arguments: bool = False,
    check: Callable[[Sequence[str]], None] = lambda argv: None,
    tensorflow: Callable[[], bool] = lambda: True,
) -> None:
    """Runs a command: parses flags, calls `main`, exits with 0, 1, 2, 130 or 143.

    Args:
        main: takes the program's name and its positional arguments.
        arguments: whether there may be positional arguments.
        check: what can be found wrong before TensorFlow is started; takes what `main` takes.
        tensorflow: whether it needs TensorFlow, which takes seconds to start; asked once the flags
            are known.
    """

    def guarded(argv: Sequence[str]) -> None:
        try:
            if not arguments and len(argv) > 1:
                raise ConfigError(f"Only flags are taken. Received: {' '.join(argv[1:])}")
            if not flags.FLAGS["verbosity"].present:
                logging.set_verbosity(logging.ERROR)
            check(argv)
            if tensorflow():
                with _quiet_start():
                    import tensorflow as tf

                    tf.config.list_physical_devices()
            main(argv)
        except WorkerLostError as error:
            print(f"error: {error}\n{SHARED}", file=sys.stderr, flush=True)
            _leave(error.exit_status)
        except SeqclfError as error:
            fail(error, error.exit_status)
        except OSError as error:
            fail(f"{error.filename or 'A file'}: {error.strerror or error}.", 1)
        except Interrupted as error:
            name = signal.Signals(error.signal).name
            said = " ".join(filter(None, [f"Stopped by {name}.", error.saved, GO_ON]))
            print(f"\n{said}", file=sys.stderr, flush=True)
            sys.exit(error.exit_status)
        except KeyboardInterrupt:
            print(f"\nInterrupted. {GO_ON}", file=sys.stderr)
            sys.exit(130)

    with interrupting():
        app.run(guarded, flags_parser=_parse)


def data_source_given() -> bool:
    """Returns whether the command line says, by recipe or by key, which data to take."""
    return any(re.match(r"--?config(=|$|\.data\.source)", argument) for argument in sys.argv)


def overridden_keys() -> list[str]:
    """Returns the config keys that the command line gives."""
    return [match[1] for match in map(OVERRIDE.match, sys.argv[1:]) if match]


def search_space() -> Any:
    """Returns what the recipe's `get_search_space` declares.

    Raises:
        ConfigError: it has none.
    """
    path = _config_file(sys.argv)
    module = runpy.run_path(path) if path and not path.endswith(".json") else {}
    declare = module.get("get_search_space")
    if not callable(declare):
        raise ConfigError(
            "--config must be a recipe with a function get_search_space(), as configs/digits.py "
            f"is. Received: {path!r}"
        )
    try:
        return declare()
    except (Exception, SystemExit) as error:  # a recipe is the user's own Python
        raise ConfigError(
            f"{path}: get_search_space() failed: {type(error).__name__}: {error}"
        ) from error


def fail(error: object, status: int) -> None:
    """Prints one message to standard error and exits."""
    print(f"error: {error}", file=sys.stderr, flush=True)
    sys.exit(status)


def _leave(status: int) -> NoReturn:
    """Exits at once: at an orderly exit TensorFlow would wait for workers that are gone."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def python_command() -> str:
    """Returns how the user calls this Python, for the commands that are printed."""
    executable = Path(sys.executable)
    if executable.is_relative_to(Path.cwd()):
        return str(executable.relative_to(Path.cwd()))
    return "python"


def quoted(path: object) -> str:
    """Returns a path as it must be typed in a shell."""
    return shlex.quote(str(path))


@contextlib.contextmanager
def _quiet_start() -> Iterator[None]:
    """Keeps what is no news from standard error while TensorFlow starts; lets all else through.

    TensorFlow writes to the file descriptor before its logging can be set up, so the descriptor
    itself is turned aside. Set TF_CPP_MIN_LOG_LEVEL to see everything.
    """
    if LOG_LEVEL in os.environ:
        yield
        return
    # Of a lost worker TensorFlow's own words are many and ours are few.
    os.environ[LOG_LEVEL] = "3" if os.environ.get("TF_CONFIG") else "2"
    sys.stderr.flush()
    standard_error = os.dup(2)
    with tempfile.TemporaryFile() as aside:
        os.dup2(aside.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(standard_error, 2)
            os.close(standard_error)
            aside.seek(0)
            for line in aside.read().decode(errors="replace").splitlines():
                if not NO_NEWS.match(line):
                    print(line, file=sys.stderr)


def _parse(argv: list[str]) -> list[str]:
    try:
        overrides = overridden_keys()
        for key in overrides:
            if key not in SCHEMA:
                raise ConfigError(unknown_key(key))
        path = _config_file(argv) if "config" in flags.FLAGS else None
        if "config" in flags.FLAGS and not path:
            argv = [argv[0], f"--config={DEFAULT_RECIPE}", *argv[1:]]
        elif path and path.endswith(".json"):
            argv = [f"{JSON_RECIPE}:{path}" if a == path else a for a in argv]
            argv = [
                f"--config={JSON_RECIPE}:{path}" if a == f"--config={path}" else a for a in argv
            ]
        return flags.FLAGS(argv)
    except SeqclfError as error:
        fail(error, error.exit_status)
    except flags.Error as error:
        expected = [
            f"\n`{key}` takes {SCHEMA[key].kind.__name__} values: {SCHEMA[key].doc}"
            for key in overrides
            if f"config.{key}=" in str(error)
        ]
        message = str(error)
        if "parsing config file" in message:  # it carries a whole traceback: the last line says it
            message = f"The config could not be read: {message.strip().splitlines()[-1]}"
        message = re.sub(r"flag (--\w+)=None: .*", r"\1 is required.", message)
        fail(f"{message}{''.join(expected)}\nSee --help.", 2)
    except Exception as error:  # a recipe is the user's own Python: whatever it raises is his
        fail(f"The config could not be read: {type(error).__name__}: {error}", 2)
    raise AssertionError("unreachable")


def _config_file(argv: list[str]) -> str | None:
    """Returns the recipe that the command line names, the last if several, None if none."""
    path = None
    for position, argument in enumerate(argv):
        if re.match(r"--?config(=|$)", argument):
            path = argument.partition("=")[2] or "".join(argv[position + 1 : position + 2])
            if not Path(path).is_file():
                raise ConfigError(f"--config: no such file: {path!r}")
    return path

"""What all commands share: flags, one clear message for what the user can mend, exit status."""

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from absl import app, flags, logging

from seqclf.config import SCHEMA, unknown_key
from seqclf.console import config_flag, usage
from seqclf.console.config_flag import ConfigFlag
from seqclf.console.signals import interrupting
from seqclf.console.tensorflow_start import start_tensorflow
from seqclf.errors import ConfigError, Interrupted, SeqclfError, WorkerLostError

RESUME_HINT = "Run the same command again to go on."
RESUME_WORKERS_HINT = (
    "Run the same command again on all workers to go on from the last checkpoint; those that still "
    "run end by themselves."
)
BROKEN_PIPE = 141  # 128 + SIGPIPE, as shells have it
# The flags that this module defines belong to the command that asks for them.
flags.disclaim_key_flags()


def define_config_flag() -> ConfigFlag:
    """Defines `--config` and `--config.KEY`; returns what they give."""
    return ConfigFlag()


def run(
    main: Callable[[Sequence[str]], None],
    arguments: bool = False,
    check: Callable[[Sequence[str]], None] = lambda argv: None,
    tensorflow: Callable[[], bool] = lambda: True,
    required: Sequence[str] = (),
) -> None:
    """Runs a command: parses flags, calls `main`, exits with a status of docs/commands.md.

    Args:
        main: the command; takes the program's name and its positional arguments.
        arguments: whether there may be positional arguments.
        check: finds what is wrong before TensorFlow is started; takes what `main` takes.
        tensorflow: returns whether the command needs TensorFlow, which takes seconds to start; it
            is called once the flags are known.
        required: the flags that must be given.
    """

    def guarded(argv: Sequence[str]) -> None:
        try:
            for name in required:
                if flags.FLAGS[name].value is None:
                    raise ConfigError(f"--{name} is required.\nSee --help.")
            if not arguments and len(argv) > 1:
                hint = _as_config_flag(argv[1].partition("=")[0])
                raise ConfigError(f"Only flags are taken. Received: {' '.join(argv[1:])}{hint}")
            if not flags.FLAGS["verbosity"].present:
                logging.set_verbosity(logging.ERROR)
            check(argv)
            if tensorflow():
                start_tensorflow()
            main(argv)
            sys.stdout.flush()  # here, where what goes wrong is said
        except WorkerLostError as error:
            print(f"error: {error}\n{RESUME_WORKERS_HINT}", file=sys.stderr, flush=True)
            _leave(error.exit_status)
        except SeqclfError as error:
            fail(error, error.exit_status)
        except BrokenPipeError:  # who reads our output, such as `head`, has ended
            _leave(BROKEN_PIPE)
        except OSError as error:
            fail(f"{error.filename or 'A file'}: {error.strerror or error}.", 1)
        except Interrupted as error:
            name = signal.Signals(error.signal).name
            said = " ".join(filter(None, [f"Stopped by {name}.", error.saved, RESUME_HINT]))
            print(f"\n{said}", file=sys.stderr, flush=True)
            sys.exit(error.exit_status)
        except KeyboardInterrupt:
            print(f"\nInterrupted. {RESUME_HINT}", file=sys.stderr)
            sys.exit(130)

    with interrupting():
        app.run(guarded, flags_parser=_parse)


def fail(error: object, status: int) -> NoReturn:
    """Prints one message to standard error and exits."""
    print(f"error: {error}", file=sys.stderr, flush=True)
    sys.exit(status)


def _leave(status: int) -> NoReturn:
    """Exits at once: at an orderly exit TensorFlow would wait for workers that are gone."""
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _is_utf8(argument: str) -> bool:
    """Returns whether a command-line argument was UTF-8: other bytes come as lone surrogates."""
    try:
        argument.encode()
    except UnicodeEncodeError:
        return False
    return True


def _as_config_flag(key: str) -> str:
    """Returns how a key of the config is given, if the command takes it; otherwise ""."""
    if key not in SCHEMA or config_flag.NAME not in flags.FLAGS:
        return ""
    return f" A key of the config is given as --{config_flag.NAME}.{key}=VALUE."


def _parse(argv: list[str]) -> list[str]:
    if (text := usage.asked_for_help(argv)) is not None:
        try:
            print(text, flush=True)
        except BrokenPipeError:
            _leave(BROKEN_PIPE)
        sys.exit(0)
    for argument in argv:
        if not _is_utf8(argument):
            fail(
                "Arguments must be UTF-8, in which TensorFlow takes paths and texts: rename the "
                f"file, or convert the text. Received: {argument[:200]!a}",
                2,
            )
    try:
        positional: list[str] = flags.FLAGS(argv)
        return positional
    except flags.UnrecognizedFlagError as error:
        key = config_flag.key_of(error.flagname)
        if key and key not in SCHEMA and config_flag.NAME in flags.FLAGS:
            fail(unknown_key(key), ConfigError.exit_status)
        if hint := _as_config_flag(error.flagname):
            fail(f"Unknown command line flag {error.flagname!r}.{hint}", 2)
        fail(f"{error}\nSee --help.", 2)
    except flags.Error as error:
        fail(f"{error}\nSee --help.", 2)

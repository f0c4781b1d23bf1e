"""Keeping from standard error what TensorFlow writes there without need."""

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from typing import IO

LOG_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
# What TensorFlow says at every start on a machine without a GPU, whatever its log level is set to
# (tensorflow issue 100442).
USUAL_LINES = re.compile(
    r"^(I0000 |WARNING: All log messages before absl::InitializeLog|"
    r"To enable the following instructions|E0000 .* failed call to cuInit: .*303)"
)


@contextlib.contextmanager
def standard_error_to_file() -> Iterator[IO[bytes]]:
    """Turns standard error aside, for C++ code as well, into a file that is given to the block.

    TensorFlow's C++ code writes to the file descriptor, so the descriptor itself is exchanged.
    """
    sys.stderr.flush()
    standard_error = os.dup(2)
    with tempfile.TemporaryFile() as aside:
        os.dup2(aside.fileno(), 2)
        try:
            yield aside
        finally:
            os.dup2(standard_error, 2)
            os.close(standard_error)


@contextlib.contextmanager
def quiet_start(level: str) -> Iterator[None]:
    """Leaves out the usual lines while TensorFlow starts, and lets all others through.

    Args:
        level: TensorFlow's log level from now on: `1` for warnings, `2` for errors, `3` for fatal
            errors alone. A level that the environment sets stays, and `0` there leaves nothing out.
    """
    if os.environ.setdefault(LOG_LEVEL, level) == "0":
        yield
        return
    lines: list[str] = []
    try:
        with standard_error_to_file() as aside:
            try:
                yield
            finally:
                aside.seek(0)
                lines = aside.read().decode(errors="replace").splitlines()
    finally:
        for line in lines:
            if not USUAL_LINES.match(line):
                print(line, file=sys.stderr)

"""How tests run commands and servers as processes of their own."""

import contextlib
import os
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def seqclf(command, *flags, status=0, cwd=None, env=None):
    """Runs `python -m seqclf.COMMAND` and returns its standard output, or its standard error."""
    done = subprocess.run(
        [sys.executable, "-m", f"seqclf.{command}", *map(str, flags)],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=cwd,
        env={**os.environ, **(env or {})},
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done.stderr if status else done.stdout


@contextlib.contextmanager
def background(command, folder):
    """Runs a server until the block is left, which is entered once it has said that it is ready."""
    with subprocess.Popen(
        f"exec {command}", shell=True, cwd=folder, stdout=subprocess.PIPE, text=True
    ) as process:
        said = ""
        for line in process.stdout:
            said += line
            if "Ctrl-C" in line:
                break
        try:
            assert process.poll() is None, said
            yield
        finally:
            process.terminate()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]

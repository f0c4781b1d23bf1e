"""How tests run commands and servers as processes of their own."""

import atexit
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import forking

ROOT = Path(__file__).parents[1]


def start_forking():
    """Starts a Python from which others are forked (see `forking`), if there is none yet.

    It ends with this process. Processes that inherit this one's environment find it.
    """
    if forking.ADDRESS in os.environ:
        return
    folder = tempfile.mkdtemp()
    address = f"{folder}/socket"
    lifeline, _ = os.pipe()  # the other end is closed when this process is gone
    with open(f"{folder}/log", "wb") as log:
        server = subprocess.Popen(
            [sys.executable, forking.__file__, "serve", address, str(lifeline)],
            pass_fds=[lifeline],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
    os.close(lifeline)
    os.environ[forking.ADDRESS] = address

    def end():
        server.kill()
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(end)


def python():
    """Returns the words that stand for `python` in a command: a fork that has TensorFlow already.

    Where the start of the process is the point itself, take `sys.executable` instead.
    """
    start_forking()
    return [sys.executable, "-SE", forking.__file__, "run"]


def seqclf(command, *flags, status=0, cwd=None, env=None):
    """Runs `python -m seqclf.COMMAND` and returns its standard output, or its standard error."""
    done = subprocess.run(
        [*python(), "-m", f"seqclf.{command}", *map(str, flags)],
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
            assert "Ctrl-C" in said, f"{command} ended before it was ready: {said}"
            yield
        finally:
            process.terminate()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]

"""A Python that has TensorFlow imported already and forks: for tests that run many commands.

    python forking.py serve ADDRESS LIFELINE     the server
    python -SE forking.py run -m MODULE …        runs in a fork of the server, otherwise like python

A process that imports TensorFlow needs 3 to 10 s of a core, its fork a few milliseconds. The fork
has the caller's arguments, folder, environment, standard streams and exit status; it is killed when
its caller is. The server must not run TensorFlow itself: threads do not live on in a fork.
"""

import json
import os
import signal
import socket
import sys

ADDRESS = "SEQCLF_TESTS_FORKING"  # environment variable: the server's socket
IMPORTED = (
    *("absl.app", "google.protobuf", "grpc", "keras", "matplotlib.figure", "ml_collections"),
    *("ml_collections.config_flags", "numpy", "PIL.Image", "sklearn.datasets", "tensorflow"),
    *("tensorflow_datasets", "tensorflow_serving.apis.prediction_service_pb2_grpc", "keras_tuner"),
)


def serve(address, lifeline):
    """Serves until the other end of the pipe `lifeline` is closed; returns in each fork.

    Returns:
        What the fork is to run, `(arguments, socket)`.
    """
    import select

    import_all()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nothing waits for the watchers
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(100)
    while True:
        ready, _, _ = select.select([listener, lifeline], [], [])
        if lifeline in ready:
            os._exit(0)
        connection, _ = listener.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listener.close()
            os.close(lifeline)
            return watch(connection)
        connection.close()


def import_all():
    import gc
    import importlib

    for name in IMPORTED:
        importlib.import_module(name)
    gc.freeze()  # else the first collection in a fork copies all pages that it looks at
    from tensorflow.python.eager import context

    started = context.context_safe()
    assert not started or not started._initialized, "TensorFlow's threads do not live on in a fork"


def watch(connection):
    """Forks once more; stays as the one that waits, and returns in the fork."""
    import select

    data, streams, _, _ = socket.recv_fds(connection, 1 << 20, 3)
    while not data.endswith(b"\n"):
        piece = connection.recv(1 << 20)
        if not piece:  # the caller has been killed
            os._exit(0)
        data += piece
    asked = json.loads(data)
    done, doing = os.pipe()  # closed when the fork has ended
    child = os.fork()
    if child == 0:
        connection.close()
        os.close(done)
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        os.set_inheritable(doing, False)
        return prepared(asked)
    os.close(doing)
    for stream in streams:
        os.close(stream)
    null = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(null, number)
    try:
        connection.sendall(b"%d\n" % child)
        ready, _, _ = select.select([connection, done], [], [])
        if connection in ready:  # the caller has been killed
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
    except OSError:  # the caller has been killed
        os.kill(child, signal.SIGKILL)
    finally:
        os._exit(0)


def prepared(asked):
    """Makes this fork what the caller asked for; returns the arguments that it was given."""
    import random

    import numpy

    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.path[1:1] = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    sys.stdout.reconfigure(write_through=bool(os.environ.get("PYTHONUNBUFFERED")))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        default = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
        signal.signal(number, signal.SIG_IGN if number in asked["ignored"] else default)
    random.seed()
    numpy.random.seed()
    return asked["arguments"]


def execute(arguments):
    """Does what `python ARGUMENTS` does."""
    import runpy

    option, *rest = arguments
    if option == "-m":
        sys.path[0] = os.getcwd()
        sys.argv = rest
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif option == "-c":
        sys.path[0] = ""
        sys.argv = ["-c", *rest[1:]]
        exec(compile(rest[0], "<string>", "exec"), {"__name__": "__main__"})
    else:
        sys.path[0] = os.path.dirname(os.path.abspath(option))
        sys.argv = arguments
        runpy.run_path(option, run_name="__main__")


def connected(address, patience=180):
    """Returns a connection to the server, which may still be starting."""
    import time

    connection = socket.socket(socket.AF_UNIX)
    deadline = time.monotonic() + patience
    while True:
        try:
            connection.connect(address)
            return connection
        except (FileNotFoundError, ConnectionRefusedError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def run(arguments):
    """Has a fork run `python ARGUMENTS`; returns its exit status as a shell gives it."""
    connection = connected(os.environ[ADDRESS])
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    asked = {
        "arguments": arguments,
        "folder": os.getcwd(),
        "environment": dict(os.environ),
        "ignored": [s for s in signals if signal.getsignal(s) == signal.SIG_IGN],
    }
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    data = json.dumps(asked).encode() + b"\n"
    sent = socket.send_fds(connection, [data], [0, 1, 2])
    connection.sendall(data[sent:])
    answers = connection.makefile("r")
    child = int(answers.readline())
    for number in signals:
        if number not in asked["ignored"]:
            signal.signal(number, lambda number, frame: os.kill(child, number))
    signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    return int(answers.readline())


def end(status):
    """Ends this process as Python does, but for the seconds that it takes to free all modules."""
    import atexit
    import threading

    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            status = 120
    os._exit(status)


def executed(arguments):
    """Executes; returns the exit status, after what Python prints for one or another exception."""
    try:
        execute(arguments)
    except SystemExit as error:
        if error.code is None or isinstance(error.code, int):
            return (error.code or 0) & 0xFF
        print(error.code, file=sys.stderr)
        return 1
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
        return 130 if isinstance(error, KeyboardInterrupt) else 1
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        end(executed(serve(sys.argv[2], int(sys.argv[3]))))
    status = run(sys.argv[2:])
    if status < 0:  # ended by a signal: end by the same
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(status)

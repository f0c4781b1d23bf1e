"""Signals that ask a process to end, and how a command reacts to them."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from types import FrameType

from seqclf.errors import Interrupted

# Ctrl-C; a scheduler that is about to take the machine; a terminal or ssh session that closes.
ASKING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequest:
    """Records whether a signal has asked the process to stop.

    Attributes:
        signal: number of the first signal; 0 if there was none yet.
    """

    def __init__(self) -> None:
        self.signal = 0

    def _take(self, number: int, frame: FrameType | None) -> None:
        if self.signal:  # on the second signal nothing is finished first
            raise Interrupted(number)
        self.signal = number
        line = f"\n{signal.Signals(number).name}: saving after this step …"
        try:
            print(line, flush=True)
        except RuntimeError:  # the signal came in the middle of another print
            os.write(1, f"{line}\n".encode())


@contextlib.contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Records SIGINT, SIGTERM and SIGHUP inside the block instead of ending the process.

    A second signal raises `Interrupted`. A signal that the process ignores (because of `nohup`, or
    of `&` in a shell) stays ignored. Python gives signals to the main thread only: in other threads
    the block changes nothing and records nothing.
    """
    request = StopRequest()
    with _handling(request._take):
        yield request


@contextlib.contextmanager
def interrupting() -> Iterator[None]:
    """Makes SIGTERM and SIGHUP raise `Interrupted` inside the block."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise Interrupted(number)

    with _handling(interrupt, ASKING[1:]):
        yield


def ending_at_once() -> AbstractContextManager[None]:
    """Makes the signals end the process inside the block.

    For calls that wait in C++ code, during which no Python handler can run.
    """
    return _handling(signal.SIG_DFL)


@contextlib.contextmanager
def _handling(handler: object, numbers: tuple[signal.Signals, ...] = ASKING) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard = [number for number in numbers if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, handler) for number in heard}  # type: ignore[arg-type]
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)

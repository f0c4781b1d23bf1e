"""Signals that ask a process to end: what to do at once, and what to do first."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from types import FrameType

from seqclf.errors import Interrupted

# Ctrl-C; what a scheduler sends before it takes a machine; a terminal or ssh session that closes.
ASKING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequest:
    """Whether, and by which signal, the process has been asked to stop.

    Attributes:
        signal: number of the first signal, 0 while there was none.
    """

    def __init__(self) -> None:
        self.signal = 0

    def _take(self, number: int, frame: FrameType | None) -> None:
        if self.signal:  # the second one does not wait
            raise Interrupted(number)
        self.signal = number
        print(f"\n{signal.Signals(number).name}: saving after this step …", flush=True)


@contextlib.contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Inside of it SIGINT, SIGTERM and SIGHUP are noted and nothing more; a second one interrupts.

    One that is ignored (by `nohup`, or behind a shell's `&`) stays ignored. Signals reach the main
    thread only; elsewhere nothing is changed, and nothing noted.
    """
    request = StopRequest()
    with _handling(request._take):
        yield request


@contextlib.contextmanager
def interrupting() -> Iterator[None]:
    """Inside of it SIGTERM and SIGHUP raise `Interrupted`, as SIGINT `KeyboardInterrupt`."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise Interrupted(number)

    with _handling(interrupt, ASKING[1:]):
        yield


def ending_at_once() -> AbstractContextManager[None]:
    """Inside of it the signals end the process: for waits in which no Python handler can run."""
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

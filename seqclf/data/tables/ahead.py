"""`read_ahead`: the next block is read by another thread while the last one is worked on."""

import queue
import threading
from collections.abc import Generator, Iterator
from typing import TypeVar

Item = TypeVar("Item")
DEPTH = 2  # items that wait


def read_ahead(items: Iterator[Item]) -> Generator[Item, None, None]:
    """Yields items that a thread takes from an iterator; pyarrow reads without the interpreter.

    The thread ends with the items, or when the generator is closed. What the iterator raises is
    raised here.
    """
    waiting: queue.Queue[tuple[Item | None, BaseException | None]] = queue.Queue(DEPTH)
    stop = threading.Event()

    def put(item: Item | None, error: BaseException | None) -> None:
        while not stop.is_set():
            try:
                waiting.put((item, error), timeout=0.1)
                return
            except queue.Full:
                continue

    def work() -> None:
        try:
            for item in items:
                put(item, None)
                if stop.is_set():
                    return
            put(None, StopIteration())
        except BaseException as error:  # of any type: it is raised in the other thread
            put(None, error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while True:
            item, error = waiting.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield item  # type: ignore[misc]  # an item comes without an error
            del item
    finally:
        stop.set()
        thread.join()

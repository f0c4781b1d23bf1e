"""The file that keeps every training and every reading of a test split, a line of JSON each."""

import datetime
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seqclf.errors import DataError, StorageError
from seqclf.storage.files import unwritable_message

TRAINING, READING = "training", "reading"
Line = dict[str, Any]


class Attempts:
    """The lines of the file, in the order in which they were written. None is ever taken out.

    Args:
        path: the file; it is made with the first line.
    """

    def __init__(self, path: Path):
        self._path = path

    def lines(self) -> list[Line]:
        """Returns all lines.

        Raises:
            DataError: a line is damaged.
        """
        if not self._path.exists():
            return []
        lines = []
        for number, text in enumerate(self._path.read_text("utf-8").splitlines(), 1):
            try:
                line = json.loads(text)
                if not {"kind", "task", "config", "seed"} <= line.keys():
                    raise ValueError("it lacks kind, task, config or seed")
            except (ValueError, AttributeError) as error:
                raise DataError(
                    f"{self._path}: line {number} is damaged; bring the file back from a copy, or "
                    f"take the line out. Received: {error}"
                ) from error
            lines.append(line)
        return lines

    def find(self, **values: Any) -> Line | None:
        """Returns the first line that has these values, None if there is none."""
        return next((line for line in self.lines() if values.items() <= line.items()), None)

    def add(self, line: Mapping[str, Any]) -> Line:
        """Writes a line at the end of the file, with the date; returns it.

        Raises:
            StorageError: it cannot be written.
        """
        today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
        whole = {**line, "date": today}
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with open(self._path, "a", encoding="utf-8") as file:
                file.write(json.dumps(whole) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StorageError(unwritable_message(self._path, error)) from error
        return whole

"""The record of the test splits that were read, so that no config is chosen by them.

The first config that is scored on the test split of a set has that set for itself. Another one is
refused, unless the caller says that its figure is not a first one.
"""

import datetime
import json
from pathlib import Path
from typing import Any

from seqclf.errors import DataError
from seqclf.storage.files import write_json


class Record:
    """The record in a JSON file: for each set the configs that were scored on its test split.

    Args:
        path: the file; it is written at the first reading.
        figure: the name that the figures have in it.

    Raises:
        DataError: the file cannot be read.
    """

    def __init__(self, path: Path, figure: str = "accuracy"):
        self._path, self._figure = path, figure
        try:
            self._reads: dict[str, list[dict[str, Any]]] = (
                json.loads(path.read_text()) if path.exists() else {}
            )
        except (OSError, ValueError) as error:
            raise DataError(
                f"{path}: must be the JSON file that this benchmark wrote; bring it back, or name "
                f"another with --record. Received: {error}"
            ) from error

    def check(self, of: str, config: str, again: bool) -> bool:
        """Checks that a test split may be read for a config; writes nothing.

        Args:
            of: name of the set.
            config: fingerprint of the config.
            again: whether a figure that is not a first one is wanted.

        Returns:
            Whether this config is the first one for this set.

        Raises:
            DataError: another config was first, and `again` is False.
        """
        reads = self._reads.get(of, [])
        if reads and reads[0]["config"] != config and not again:
            raise DataError(
                f"{of}: the test split was read on {reads[0]['date']} for the config "
                f"{reads[0]['config']}. A second config would be chosen by it: keep the first, or "
                f"set --again, which marks the figure as not a first one. Received: {config}"
            )
        return not reads or bool(reads[0]["config"] == config)

    def begin(self, of: str, config: str) -> None:
        """Writes down, just before it happens, that a test split is read for a config."""
        reads = self._reads.setdefault(of, [])
        if config not in (read["config"] for read in reads):
            today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
            reads.append({"config": config, "date": today, self._figure: {}})
            self._write()

    def end(self, of: str, config: str, seed: int, figure: float) -> None:
        """Writes the figure down that a config reached with a seed."""
        read = next(read for read in self._reads[of] if read["config"] == config)
        read[self._figure][str(seed)] = round(figure, 4)
        self._write()

    def _write(self) -> None:
        write_json(self._path, self._reads)

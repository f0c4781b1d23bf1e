"""The run directory: the names of its files, its config and its manifest.

config.json        the resolved config
manifest.json      versions, hardware, data fingerprint, status
dataset.json       the spec of the data
metrics.jsonl      one line per validation
checkpoints/       step-N.npz (the latest two), best-N.npz
tensorboard/       the same metrics for TensorBoard
model.keras        the selected weights
report.json, report.md, figures/
samples/           a few test examples as files (samples.csv: in the layout of the training table;
                   text.txt: the beginning of the test part of a text)
export/            the SavedModel, by version
"""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from seqclf.config import Config, as_begun, differences, from_json, to_json
from seqclf.errors import ConfigError, RunError
from seqclf.storage.files import read_json, write_json, write_text
from seqclf.storage.folders import check_ours_or_free, unusable_message
from seqclf.storage.locks import locked
from seqclf.storage.recorded import check_manifest, check_report


class Run:
    """One run directory.

    Attributes:
        path: the folder. The other attributes are the paths of what is in it.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path).expanduser()
        self.config = self.path / "config.json"
        self.manifest = self.path / "manifest.json"
        self.dataset = self.path / "dataset.json"
        self.metrics = self.path / "metrics.jsonl"
        self.checkpoints = self.path / "checkpoints"
        self.tensorboard = self.path / "tensorboard"
        self.model = self.path / "model.keras"
        self.report = self.path / "report.json"
        self.report_md = self.path / "report.md"
        self.figures = self.path / "figures"
        self.samples = self.path / "samples"
        self.export = self.path / "export"

    def check_usable(self, config: Config) -> None:
        """Checks that the folder holds a run of this config, or is free; changes nothing.

        Raises:
            RunError: it holds a run of another config (the differences are listed), or something
                else.
        """
        if not check_ours_or_free(self.path, self.config.name, "is no run directory"):
            return
        begun = self.read_config()
        if changes := differences(begun, as_begun(config, begun)):
            raise RunError(
                f"{self.path} holds a run of another config, left as it is. It differs in\n"
                + "\n".join(f"  {change}" for change in changes)
                + "\nChoose another --workdir, or give the config of that run to resume it."
            )

    def locked(self) -> AbstractContextManager[None]:
        """Keeps other processes from writing to the folder; makes it if it is missing.

        Raises:
            RunError: another process holds it, or it cannot be written.
        """
        return locked(self.path)

    def prepare(self, config: Config) -> None:
        """Makes the folder, if it is missing, and writes the config into it.

        Raises:
            RunError: the folder is not usable for this config, or cannot be written.
        """
        self.check_usable(config)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if not self.config.exists():
                write_text(self.config, to_json(config))
        except OSError as error:
            raise RunError(unusable_message(self.path, error)) from error

    def read_config(self) -> Config:
        """Returns the run's config.

        Raises:
            RunError: the folder is no run directory, or its config cannot be read.
        """
        if not self.config.is_file():
            raise RunError(
                f"{self.path} is no run directory: it lacks config.json. "
                "Train one with python -m seqclf.train --workdir=…"
            )
        try:
            return from_json(self.config.read_text("utf-8"))
        except (ConfigError, UnicodeDecodeError) as error:
            raise RunError(f"{self.config} cannot be read: {error}") from error

    def read_manifest(self) -> dict[str, Any]:
        """Returns the manifest, `{}` while there is none.

        Raises:
            RunError: the file is damaged.
        """
        return read_json(self.manifest, check_manifest) if self.manifest.exists() else {}

    def read_report(self) -> dict[str, Any]:
        """Returns the report of a finished run.

        Raises:
            RunError: the file is damaged.
        """
        return read_json(self.report, check_report)

    def update_manifest(self, **entries: Any) -> None:
        """Replaces or adds entries of the manifest."""
        write_json(self.manifest, self.read_manifest() | entries)

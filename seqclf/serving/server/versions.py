"""`Versions`: loads the versions of a model, finds new ones and unloads old ones.

A new version is loaded beside the old one. The old one serves requests until the new one is ready,
and stays in memory until its last request is done: no request is dropped.
"""

import gc
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from seqclf.serving.server.fault import Fault, invalid
from seqclf.serving.server.model import ServedModel
from seqclf.serving.server.warmup import replay_warmup
from seqclf.serving.versions import is_version

MAX_RETRIES = 5  # of a load that failed
RETRY_SECONDS = 60.0  # between two attempts


@dataclass
class LoadStatus:
    """The state of one version.

    Attributes:
        state: START, LOADING, AVAILABLE, UNLOADING or END, as in TensorFlow Serving.
        error: the reason why the version could not be loaded; "" if nothing went wrong.
        failures: number of failed attempts to load it.
        retry_at: time of the next attempt, in seconds of `time.monotonic`.
    """

    state: str = "START"
    error: str = ""
    failures: int = 0
    retry_at: float = 0.0


class Versions:
    """The loaded versions of a model in an export folder, which is watched for changes.

    Args:
        name: name of the model.
        export_dir: folder of the versions.
        keep_loaded: number of versions to serve, the newest ones.
        labels: label → version.
        poll_seconds: seconds between two looks at the folder; 0 never looks again.
        log: is called with one line about each event.
    """

    def __init__(
        self,
        name: str,
        export_dir: Path,
        keep_loaded: int = 1,
        labels: Mapping[str, int] | None = None,
        poll_seconds: float = 1.0,
        log: Callable[[str], None] = print,
    ):
        self.name = name
        self.export_dir = export_dir
        self.labels = dict(labels or {})
        self._keep_loaded = keep_loaded
        self._poll_seconds = poll_seconds
        self._log = log
        self._models: dict[int, ServedModel] = {}
        self._statuses: dict[int, LoadStatus] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="versions", daemon=True)

    def start(self) -> None:
        """Loads the versions in the folder, then watches it in a thread of its own."""
        self.refresh()
        for label, version in self.labels.items():
            if version not in self._models:
                self._log(f"label {label}: there is no version {version} yet")
        if self._poll_seconds:
            self._thread.start()

    def stop(self) -> None:
        """Ends the watching; loaded versions stay."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def get(self, name: str, version: int | None = None, label: str | None = None) -> ServedModel:
        """Returns a loaded version.

        Args:
            name: name of the model.
            version: number of the version; None is the newest one.
            label: label of the version; it goes before `version`.

        Raises:
            Fault: NOT_FOUND, or INVALID_ARGUMENT if the label is not known.
        """
        if label is not None:
            if name != self.name or label not in self.labels:
                raise invalid(f"Unrecognized servable version label: {label}")
            version = self.labels.get(label)
        with self._lock:
            models = self._models if name == self.name else {}
            if version is None and models:
                return models[max(models)]
            if version in models:
                return models[version]
        what = f"Latest({name})" if version is None else f"Specific({name}, {version})"
        raise Fault("NOT_FOUND", f"Servable not found for request: {what}")

    def statuses(self, name: str, version: int | None = None) -> dict[int, LoadStatus]:
        """Returns the states of versions by number, newest first.

        A label plays no part here, as in TensorFlow Serving (get_model_status_impl.cc).

        Args:
            name: name of the model.
            version: number of the version; None returns all.

        Raises:
            Fault: NOT_FOUND.
        """
        with self._lock:
            known = dict(self._statuses) if name == self.name else {}
        if version is not None:
            known = {k: v for k, v in known.items() if k == version}
        if not known:
            which = f"version {version}" if version is not None else "any versions"
            raise Fault("NOT_FOUND", f"Could not find {which} of model {name}")
        return dict(sorted(known.items(), reverse=True))

    def available(self) -> bool:
        """Returns whether a version is loaded."""
        with self._lock:
            return bool(self._models)

    def refresh(self) -> None:
        """Looks at the folder once: loads new versions, then unloads old ones."""
        found = self._versions_in_folder()
        for number in self._statuses.keys() - found.keys() - self._models.keys():
            # A version that comes under this number is a new one.
            self._statuses[number].failures = 0
            self._statuses[number].retry_at = 0.0
        labelled = {n for n in self.labels.values() if n in found}
        newest = set(sorted(found)[-self._keep_loaded :])
        wanted = newest | labelled
        for number in sorted(wanted - self._models.keys()):
            self._load(number, found[number])
        available = newest & self._models.keys()
        if newest and not available:
            return  # the loaded versions are served until a newer one can be
        for number in sorted(self._models.keys() - wanted):
            if number in found or available:
                self._unload(number)

    def _versions_in_folder(self) -> dict[int, Path]:
        try:
            entries = list(self.export_dir.iterdir())
        except OSError:
            return {}
        found = {int(entry.name): entry for entry in entries if is_version(entry.name)}
        return {number: entry for number, entry in found.items() if number < 2**63}

    def _load(self, number: int, path: Path) -> None:
        status = self._statuses.setdefault(number, LoadStatus())
        if status.failures > MAX_RETRIES or time.monotonic() < status.retry_at:
            return
        status.state = "LOADING"
        started = time.monotonic()
        try:
            model = ServedModel(path)
            warmed_up = replay_warmup(model)
        except Exception as error:  # a version that cannot be loaded must not end the server
            message = f"{type(error).__name__}: {error}".splitlines()[0]
            status.state, status.error = "END", message
            status.failures += 1
            status.retry_at = time.monotonic() + RETRY_SECONDS
            self._log(f"version {number} cannot be loaded: {message}")
            return
        with self._lock:
            self._models[number] = model
            self._statuses[number] = LoadStatus("AVAILABLE")
        self._log(
            f"version {number} is served, after {time.monotonic() - started:.1f} s "
            f"({warmed_up} warm-up requests)"
        )
        if model.batching is not None and not model.batching.pads and model.has_free_shapes():
            self._log(
                f"version {number}: warning: requests of different shapes that share a batch are "
                "refused, here and by TensorFlow Serving, because batching_params.pbtxt has no "
                "pad_variable_length_inputs: true. Export the model again."
            )

    def _unload(self, number: int) -> None:
        with self._lock:
            del self._models[number]
            self._statuses[number].state = "END"
        gc.collect()  # requests under way still refer to the model
        self._log(f"version {number} is no longer served")

    def _watch(self) -> None:
        while not self._stop.wait(self._poll_seconds):
            self.refresh()

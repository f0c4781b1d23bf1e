"""What the manifest of a run records: when it started and ended, with which data and machine."""

import datetime
from typing import Any

from seqclf.config import Config
from seqclf.data.dataset import Dataset
from seqclf.data.input_range import input_range
from seqclf.errors import RunError
from seqclf.storage.environment import describe_environment
from seqclf.storage.files import remove_temporary, write_text
from seqclf.storage.run_directory import Run


def record_start(run: Run, config: Config, dataset: Dataset, **entries: Any) -> None:
    """Records in a prepared run directory that a training starts there, or goes on.

    Args:
        run: the run directory.
        config: its resolved config.
        dataset: its data.
        **entries: further entries of the manifest.

    Raises:
        RunError: the run was started with other data.
        StorageError: the folder cannot be written.
    """
    remove_temporary(run.path)
    manifest = run.read_manifest()
    resumed = "started" in manifest
    if resumed:
        check_same_data(run, dataset)
    write_text(run.dataset, dataset.spec.to_json())  # on resuming too: it may be damaged
    if resumed:
        run.update_manifest(resumed=[*manifest.get("resumed", []), _now()], **entries)
        return
    run.update_manifest(
        status="started",
        started=_now(),
        seed=config.seed,
        data={
            "origin": dataset.origin,
            "fingerprint": dataset.fingerprint(),
            "input_range": input_range(dataset),
        },
        **entries,
        **describe_environment(),
    )


def record_end(run: Run) -> None:
    """Records that the run is finished."""
    run.update_manifest(status="finished", finished=_now())


def check_same_data(run: Run, dataset: Dataset) -> None:
    """Checks that a dataset is the one that the run was started with.

    Raises:
        RunError: it is another one.
    """
    recorded = run.read_manifest().get("data", {}).get("fingerprint")
    if recorded and recorded != dataset.fingerprint():
        raise RunError(
            f"The data of {dataset.spec.source} is not what the run in {run.path} was trained on "
            f"(SHA-256 {dataset.fingerprint()[:12]}… instead of {recorded[:12]}…). Bring back that "
            "data, or choose another --workdir."
        )


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")

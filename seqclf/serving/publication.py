"""`publish_checked`: publishes a version that is written, if it passes every check."""

import contextlib
import json
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from seqclf.console.progress import announce
from seqclf.data.dataset import DatasetSpec
from seqclf.errors import ExportError, StorageError
from seqclf.serving.manifest import write_manifest
from seqclf.serving.publish import publish
from seqclf.serving.verify.check import Check, Golden, verify

# Errors that TensorFlow raises when a disk is full or cannot be written.
DISK_ERRORS = (
    tf.errors.ResourceExhaustedError,
    tf.errors.PermissionDeniedError,
    tf.errors.OutOfRangeError,  # the limit on the size of files
    tf.errors.FailedPreconditionError,
    tf.errors.UnknownError,
)


@contextlib.contextmanager
def disk_errors(export_dir: Path) -> Iterator[None]:
    """Turns errors of a full or unwritable disk into a StorageError."""
    try:
        yield
    except (OSError, *DISK_ERRORS) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise StorageError(
            f"Nothing was published in {export_dir}: the new version could not be written "
            f"({reason})."
        ) from error


def publish_checked(
    folder: Path,
    export_dir: Path,
    goldens: Sequence[Golden],
    spec: DatasetSpec,
    facts: dict[str, Any],
    keep: int,
    labelled: Collection[int],
) -> Path:
    """Checks a version, writes its manifest, and publishes it.

    Args:
        folder: the folder from `staging`, which holds all files of the version but the manifest.
        export_dir: the folder of the versions.
        goldens: inputs with expected outputs.
        spec: spec of the data.
        facts: what the manifest says about the model.
        keep: see `publish`.
        labelled: see `publish`.

    Returns:
        The folder of the new version.

    Raises:
        ExportError: a check failed; nothing is published.
    """
    announce("Running the checks")
    checks = verify(folder, goldens=goldens)
    failed = [check for check in checks if check.passed is False]
    if failed:
        raise ExportError(
            f"Nothing was published in {export_dir}: the new version failed "
            + "; ".join(f"[{check.rule}] {check.detail}" for check in failed)
        )
    recorded = {"checks": [_recorded(check) for check in checks]}
    recorded["spec"] = json.loads(spec.to_json())
    write_manifest(folder, facts | recorded)
    return publish(folder, export_dir, keep, labelled)


def _recorded(check: Check) -> dict[str, Any]:
    """Returns a check as the manifest records it."""
    result = {True: "passed", False: "failed", None: "skipped"}[check.passed]
    return {"rule": check.rule, "result": result, "detail": check.detail}

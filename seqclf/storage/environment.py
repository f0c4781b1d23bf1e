"""The environment of a run, for its manifest: versions, hardware, git revision."""

import os
import platform
import subprocess
from pathlib import Path
from typing import Any

from seqclf.version import own_version, version_of

PACKAGES = ("tensorflow", "keras", "tensorflow-datasets", "numpy", "scikit-learn", "ml_collections")


def describe_environment() -> dict[str, Any]:
    """Returns versions, hardware and git revision, ready for JSON."""
    import tensorflow as tf

    from seqclf.layers import native

    return {
        "versions": {
            "seqclf": own_version(),
            "python": platform.python_version(),
            **{package: version_of(package) for package in PACKAGES},
        },
        "hardware": {
            "platform": platform.platform(),
            "processor": _processor(),
            "cores": os.cpu_count(),
            "memory_gib": _memory_gib(),
            "devices": [device.name for device in tf.config.list_logical_devices()],
            "native_operations": native.instruction_set() or f"none: {native.obstacle()}",
        },
        "git_revision": git_revision(),
    }


def git_revision() -> str | None:
    """Returns the git commit of this code, with `-dirty` if files are changed.

    None if the code is not in a git checkout.
    """
    folder = Path(__file__).resolve().parent
    try:
        tracked = _git(folder, "ls-files", "--error-unmatch", __file__)
        return _git(folder, "describe", "--always", "--dirty", "--abbrev=40") if tracked else None
    except (OSError, subprocess.CalledProcessError):
        return None  # git is missing, or the code is an installed package, which has a version


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _memory_gib() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (ValueError, OSError, AttributeError):
        return None

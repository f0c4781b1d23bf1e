"""The version of seqclf, which is written in pyproject.toml alone, and those of other packages."""

import importlib.metadata
import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"  # in a checkout


def own_version() -> str:
    """Returns the version of this code: of the checkout that it is in, or as it was installed."""
    try:
        text = PROJECT.read_text("utf-8")
    except OSError:
        text = ""
    # A file of another project may lie beside an installed package.
    found = re.search(r'^name = "seqclf"\nversion = "(.+)"$', text, re.MULTILINE)
    return found[1] if found else version_of("seqclf") or "unknown"


def version_of(distribution: str) -> str | None:
    """Returns the version of an installed distribution, without importing it; None without it.

    Args:
        distribution: its name, such as `scikit-learn`.
    """
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None

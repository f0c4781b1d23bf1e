"""Gives the distribution seqclf-client the version of seqclf; all else is in pyproject.toml."""

import re
from pathlib import Path

from setuptools import setup

HERE = Path(__file__).resolve().parent


def version() -> str:
    """Returns the version of seqclf, or that of the source distribution that this is."""
    packed = HERE / "PKG-INFO"
    if packed.is_file():
        return re.search(r"^Version: (.+)$", packed.read_text("utf-8"), re.MULTILINE)[1]
    project = (HERE.parents[1] / "pyproject.toml").read_text("utf-8")
    return re.search(r'^name = "seqclf"\nversion = "(.+)"$', project, re.MULTILINE)[1]


setup(version=version())

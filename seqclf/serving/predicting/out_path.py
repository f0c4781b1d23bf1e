"""`check_out`: checks the file that the user names for the predictions."""

import os
from collections.abc import Sequence
from pathlib import Path

from seqclf.errors import ConfigError

ENDINGS = (".csv", ".parquet")


def check_out(out: Path, inputs: Sequence[str], overwrite: bool) -> None:
    """Checks the file that predictions shall be written to, before anything is computed.

    Args:
        out: the file.
        inputs: the files that are read.
        overwrite: whether a file that is there may be replaced.

    Raises:
        ConfigError: the file cannot be written, is one of the inputs, or is there already.
    """
    if out.suffix.lower() not in ENDINGS:
        raise ConfigError(
            f"--out must name a file that ends in {' or '.join(ENDINGS)}. Received: {str(out)!r}"
        )
    if not out.parent.is_dir():
        raise ConfigError(
            f"--out: there is no folder {str(out.parent)!r}. Make it first, or name another file."
        )
    for name in inputs:
        source = Path(name).expanduser()
        if out.exists() and source.exists() and os.path.samefile(out, source):
            raise ConfigError(f"--out must not be a file that is read. Received: {str(out)!r}")
        if source.is_dir() and source.resolve() in out.resolve().parents:
            raise ConfigError(
                f"--out must not be in the folder that is read, {name}, or it would be read as a "
                f"sequence the next time. Received: {str(out)!r}"
            )
    if out.is_dir():
        raise ConfigError(f"--out must name a file. Received: {str(out)!r}, which is a folder")
    if out.exists() and not overwrite:
        raise ConfigError(
            f"--out: {out} is there already and is left as it is. Name another file, or replace "
            "it with --overwrite."
        )

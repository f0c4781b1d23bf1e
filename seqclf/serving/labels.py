"""The labels of versions: as flags give them, and as `deploy/labels.py` records them."""

import json
from collections.abc import Sequence
from pathlib import Path

from seqclf.errors import ConfigError, ExportError

# In the folder of the versions: path of a models.config -> label -> version. The server ignores it.
RECORD = ".labels.json"


def parse_labels(items: Sequence[str]) -> dict[str, int]:
    """Returns label → version for items such as `stable=1`.

    Raises:
        ConfigError: an item is not NAME=VERSION, or a name comes twice.
    """
    labels: dict[str, int] = {}
    for item in items:
        name, _, version = item.partition("=")
        if not name or not (version.isascii() and version.isdecimal()):
            raise ConfigError(f"--labels takes NAME=VERSION,… Received: {item!r}")
        if name in labels:
            raise ConfigError(f"--labels names {name!r} twice.")
        labels[name] = int(version)
    return labels


def recorded_labels(export_dir: Path) -> dict[str, int]:
    """Returns the labels that `deploy/labels.py` has set on versions of a folder.

    Args:
        export_dir: the folder of the versions.

    Returns:
        `LABEL in CONFIG` → version, for all configurations that name versions of the folder.

    Raises:
        ExportError: the record is damaged.
    """
    path = export_dir / RECORD
    try:
        recorded = json.loads(path.read_text("utf-8"))
        return {
            f"{label} in {config}": int(version)
            for config, labels in recorded.items()
            for label, version in labels.items()
        }
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ExportError(
            f"{path} cannot be read ({error}), so it is not known which versions have labels. "
            "Write it again with deploy/labels.py, or remove it."
        ) from error

"""`load_served_spec`: what the manifest of a served version says of the training data."""

import json
from pathlib import Path

from seqclf.data.spec import DatasetSpec
from seqclf.errors import ConfigError


def load_served_spec(manifest: str) -> DatasetSpec | None:
    """Reads the spec of the training data from a manifest.

    Args:
        manifest: `manifest.json` of a version, or a copy of it.

    Returns:
        The spec; None if the manifest does not have it: exports of earlier versions.

    Raises:
        ConfigError: the file cannot be read, or its spec is damaged.
    """
    try:
        entry = json.loads(Path(manifest).expanduser().read_text()).get("spec")
        return None if entry is None else DatasetSpec.from_json(json.dumps(entry))
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ConfigError(f"--manifest: {manifest} cannot be used: {error}.") from error

"""`ModelFacts`: what a manifest says of the data that a served model was trained on."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqclf.data.spec import DatasetSpec
from seqclf.serving.file_names import MANIFEST
from seqclf.serving.input_range import InputRange

ENTRIES = ("spec", "input_range")  # of a manifest
METADATA_KEY = "seqclf"  # of a server's metadata; TensorFlow Serving has no such key


@dataclass(frozen=True)
class ModelFacts:
    """What is known of the training data.

    Attributes:
        spec: the spec, with feature names, the treatment of missing values and the columns of the
            table; None: not known.
        input_range: the range of the training inputs; None: not known.
    """

    spec: DatasetSpec | None = None
    input_range: InputRange | None = None

    @classmethod
    def from_json(cls, content: Any) -> "ModelFacts":
        """Returns what can be read of a manifest's content; what is damaged is not known."""
        if not isinstance(content, dict):
            return cls()
        try:
            entry = content.get("spec")
            spec = None if entry is None else DatasetSpec.from_json(json.dumps(entry))
        except (ValueError, TypeError, AttributeError):
            spec = None
        return cls(spec, InputRange.from_json(content.get("input_range")))


def read_entries(version: Path) -> dict[str, Any]:
    """Returns the entries of a version's manifest that clients get; {} if there is no manifest.

    Args:
        version: the version's folder.
    """
    try:
        content = json.loads((version / MANIFEST).read_text())
    except (OSError, ValueError):
        return {}
    if not isinstance(content, dict):
        return {}
    return {name: content[name] for name in ENTRIES if name in content}

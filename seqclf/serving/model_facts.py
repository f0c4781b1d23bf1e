"""`ModelFacts`: what a manifest says about the data that a served model was trained on."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqclf.client.base import METADATA_KEY as METADATA_KEY
from seqclf.data.spec import DatasetSpec
from seqclf.serving.file_names import MANIFEST
from seqclf.serving.input_range import InputRange

ENTRIES = ("spec", "input_range")  # of a manifest


@dataclass(frozen=True)
class ModelFacts:
    """Facts about the training data of a served model that clients use.

    Attributes:
        spec: the spec of the training data, with the names of the features, what is done with
            missing values, and the columns of the table; None: it is not known.
        input_range: the range of the training inputs; None: it is not known.
    """

    spec: DatasetSpec | None = None
    input_range: InputRange | None = None

    @classmethod
    def from_manifest(cls, content: Any) -> "ModelFacts":
        """Returns the facts in the content of a manifest.

        Raises:
            ValueError: it is no JSON object, or an entry is damaged.
        """
        if not isinstance(content, dict):
            raise ValueError(f"it holds no JSON object but {type(content).__name__}")
        spec, entry = content.get("spec"), content.get("input_range")
        input_range = InputRange.from_json(entry)
        if entry is not None and input_range is None:
            raise ValueError(f"there is no range in `input_range`: {entry!r:.100}")
        try:
            known = None if spec is None else DatasetSpec.from_json(json.dumps(spec))
        except (ValueError, TypeError, AttributeError) as error:
            raise ValueError(f"`spec` is damaged: {error}") from error
        return cls(known, input_range)

    @classmethod
    def from_json(cls, content: Any) -> "ModelFacts":
        """Returns the facts that a server or a version tells; a damaged one is not known."""
        known = content if isinstance(content, dict) else {}
        try:
            spec = cls.from_manifest({"spec": known.get("spec")}).spec
        except ValueError:
            spec = None
        return cls(spec, InputRange.from_json(known.get("input_range")))


def read_entries(version: Path) -> dict[str, Any]:
    """Returns the entries of a version's manifest that clients get; {} if there is no manifest.

    Args:
        version: the version's folder.
    """
    try:
        content = json.loads((version / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(content, dict):
        return {}
    return {name: content[name] for name in ENTRIES if name in content}

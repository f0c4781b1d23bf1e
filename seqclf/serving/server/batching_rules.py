"""What `batching_params.pbtxt` of a version says about requests that may share a batch."""

import re
from dataclasses import dataclass
from pathlib import Path

from seqclf.serving.file_names import BATCHING

COMMENT = re.compile(r"#.*")
PADS = re.compile(r"\bpad_variable_length_inputs\s*:\s*(?:true|t|1)\b", re.IGNORECASE)


@dataclass(frozen=True)
class BatchingRules:
    """The rules of one version.

    Attributes:
        pads: whether shorter inputs are padded to the longest of their batch. If not, a batch of
            different shapes is refused.
    """

    pads: bool


def read_batching_rules(version_folder: Path) -> BatchingRules | None:
    """Reads the rules of a version.

    Returns:
        The rules, or None if the version has no such file: TensorFlow Serving does not batch it.
    """
    path = version_folder / BATCHING
    if not path.is_file():
        return None
    text = COMMENT.sub("", path.read_text(errors="replace"))
    return BatchingRules(pads=PADS.search(text) is not None)

"""The recipe behind `--config=FILE.json`: a config as `seqclf` writes it, such as a run's."""

from pathlib import Path

import ml_collections

from seqclf.config import from_json


def get_config(path: str) -> ml_collections.ConfigDict:
    """Returns the config that the file holds, open to change."""
    return ml_collections.ConfigDict(from_json(Path(path).read_text()).to_dict())

"""The arguments of `connect`, checked: those of every client, and the facts of a manifest."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from seqclf.client import options
from seqclf.client.options import Budget as Budget
from seqclf.errors import ConfigError
from seqclf.serving.model_facts import ModelFacts


@dataclass(frozen=True)
class ClientOptions(options.ClientOptions):
    """The arguments of `connect`, checked; `connect` explains them.

    Attributes:
        facts: what the manifest says of the training data.

    Raises:
        ConfigError: an argument cannot be used.
    """

    facts: ModelFacts = field(default_factory=ModelFacts)


def load_facts(manifest: str) -> ModelFacts:
    """Reads from a manifest what clients need to know about the training data.

    Args:
        manifest: `manifest.json` of a version, or a copy of it.

    Raises:
        ConfigError: the file cannot be read, has neither `spec` nor `input_range`, or one of them
            is damaged.
    """
    try:
        content = json.loads(Path(manifest).expanduser().read_text("utf-8"))
        facts = ModelFacts.from_manifest(content)
    except (OSError, ValueError) as error:
        raise ConfigError(f"`manifest`: {manifest} cannot be used: {error}.") from error
    if facts.spec is None and facts.input_range is None:
        raise ConfigError(
            f"`manifest`: {manifest} cannot be used: it has no `input_range` and no `spec`."
        )
    return facts

"""`check_fits_text`: refuses what a config asks for and text cannot have."""

from seqclf.config import AugmentConfig, Config
from seqclf.errors import ConfigError
from seqclf.models.language_model import check_model

CRITERIA = ("accuracy", "loss")  # the others are means over classes that are told apart by name


def check_fits_text(config: Config) -> None:
    """Checks that a config can be used for text.

    Raises:
        ConfigError: an option cannot.
    """
    check_model(config.model)
    reasons = {
        "augment": (config.augment != AugmentConfig(), "it distorts images"),
        "class_weight": (config.class_weight != "none", "its classes are the tokens"),
        "length_buckets": (config.length_buckets > 0, "its windows have one length"),
        "batch_selection": (
            config.batch_selection > 1,
            "a batch that goes on where the last one ended cannot be chosen from",
        ),
        "select": (
            config.criterion not in CRITERIA,
            "a language model is chosen by its loss (auto, loss), by its accuracy (best), or is "
            "the last",
        ),
    }
    for name, (wrong, reason) in reasons.items():
        if wrong:
            default = getattr(Config(), name) if name != "augment" else "its defaults"
            raise ConfigError(
                f"`{name}` cannot be used for text: {reason}. Leave it at {default!r}. "
                f"Received: {getattr(config, name)!r}"
            )

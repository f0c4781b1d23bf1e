"""`check_fits_text`: refuses what a config asks for and text cannot have."""

from seqclf.config import Config, refuse
from seqclf.errors import ConfigError
from seqclf.models.language_model import check_model_for_text

CRITERIA = ("accuracy", "loss")  # the others are means over classes that are told apart by name


def check_fits_text(config: Config) -> None:
    """Checks that a config can be used for text.

    Raises:
        ConfigError: an option cannot.
    """
    check_model_for_text(config.model)
    reasons = {
        "augment": "it distorts images",
        "class_weight": "its classes are the tokens",
        "length_buckets": "its windows have one length",
        "batch_selection": "a batch that goes on where the last one ended cannot be chosen from",
    }
    refuse(config, reasons, "text")
    if config.criterion not in CRITERIA:
        raise ConfigError(
            "For text `select` must be auto or loss, which choose by the loss, best, which chooses "
            "by the accuracy, or last: the other scores are means over classes. Received: "
            f"{config.select!r}"
        )

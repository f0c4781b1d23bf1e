"""`check_fits_steps`: refuses what a config asks for and labels of time steps cannot have."""

from seqclf.config import Config, refuse
from seqclf.models.classifier import check_model_per_step


def check_fits_steps(config: Config) -> None:
    """Checks that a config can be used for data with a label at each time step.

    Raises:
        ConfigError: an option cannot.
    """
    check_model_per_step(config.model)
    reasons = {
        "augment": "it distorts images",
        "batch_selection": "a sequence has many losses, and they say nothing about it as a whole",
    }
    refuse(config, reasons, "labels of time steps")

"""`check_fits_steps`: refuses what a config asks for and labels of time steps cannot have."""

from seqclf.config import AugmentConfig, Config
from seqclf.errors import ConfigError
from seqclf.models.classifier import check_model_per_step


def check_fits_steps(config: Config) -> None:
    """Checks that a config can be used for data with a label at each time step.

    Raises:
        ConfigError: an option cannot.
    """
    check_model_per_step(config.model)
    if config.augment != AugmentConfig():
        raise ConfigError(
            "`augment` cannot be used for labels of time steps: it distorts images. Leave it at "
            f"its defaults. Received: {config.augment!r}"
        )
    if config.batch_selection > 1:
        raise ConfigError(
            "`batch_selection` cannot be used for labels of time steps: a sequence has many "
            "losses, and they say nothing about it as a whole. Leave it at 1. Received: "
            f"{config.batch_selection}"
        )

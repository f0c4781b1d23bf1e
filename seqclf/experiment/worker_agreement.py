"""Checks that all workers of a training were given the same config and data."""

import json

from seqclf.config import Config, differences, to_json
from seqclf.data.dataset import Dataset
from seqclf.errors import ConfigError
from seqclf.training.distribution.workers import Workers


def check_same_inputs(workers: Workers, config: Config, dataset: Dataset) -> None:
    """Checks that all workers have the same config and the same dataset.

    Raises:
        ConfigError: they differ; every worker raises it.
    """
    own = {"config": json.loads(to_json(config)), "data": dataset.fingerprint()}
    chief, *others = workers.exchange(own)
    for index, other in enumerate(others, start=1):
        if changes := differences(chief["config"], other["config"]):
            raise ConfigError(
                f"Worker {index} has another config than the chief. It differs in\n"
                + "\n".join(f"  {change}" for change in changes)
                + "\nGive all workers the same command."
            )
        if chief["data"] != other["data"]:
            raise ConfigError(
                f"Worker {index} has other data than the chief (SHA-256 {other['data'][:12]}… "
                f"instead of {chief['data'][:12]}…). Give all workers the same files."
            )

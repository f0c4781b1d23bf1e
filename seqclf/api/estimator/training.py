"""Trains a classifier in memory, without files, and leaves the caller's random numbers alone."""

import contextlib
import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from seqclf.console.progress import Progress, Silent

if TYPE_CHECKING:
    import keras

    from seqclf.config import Config
    from seqclf.data.dataset import Dataset
    from seqclf.data.spec import DatasetSpec


def train(
    config: "Config", dataset: "Dataset", verbose: bool
) -> "tuple[keras.Model, list[dict[str, Any]]]":
    """Trains a classifier; the test split is not looked at.

    Args:
        config: a resolved config.
        dataset: the data.
        verbose: whether to print what is trained, and the progress.

    Returns:
        The model, and a record of each validation as `metrics.jsonl` has them.

    Raises:
        ConfigError: the config and the data do not go together.
        DataError: the weights of the examples cannot be used.
        TrainingError: the loss is no longer finite.
    """
    from seqclf.experiment.announcement import training_in_words
    from seqclf.training.distribution.workers import Workers
    from seqclf.training.effective import check_fits_data, effective_config, total_steps
    from seqclf.training.loop import fit

    check_fits_data(config, dataset)
    records: list[dict[str, Any]] = []
    if verbose:
        steps = total_steps(effective_config(config, dataset), dataset)
        print(training_in_words(config, dataset, steps, Workers()), flush=True)

    def make_progress(total: int, first: int) -> Progress:
        return _Recording((Progress if verbose else Silent)(total, first), records)

    with kept_random_state():
        result = fit(config, dataset, None, make_progress=make_progress)
    return result.model, records


class _Recording(Progress):
    """Keeps the record of each validation, and shows the progress as another one does."""

    def __init__(self, shown: Progress, records: list[dict[str, Any]]):
        self._shown, self._records = shown, records

    def step(self, state: Any) -> None:
        self._shown.step(state)

    def validation(self, record: dict[str, Any], best: bool) -> None:
        self._records.append(record)
        self._shown.validation(record, best)


def rebuilt(config: "Config", spec: "DatasetSpec", weights: list[np.ndarray]) -> "keras.Model":
    """Returns a trained classifier again.

    Args:
        config: the config of its training.
        spec: the spec of its data.
        weights: its weights, as `get_weights` gives them.
    """
    from seqclf.models.classifier import build_classifier

    with kept_random_state():
        model = build_classifier(config, spec)
    model.set_weights(weights)
    return model


@contextlib.contextmanager
def kept_random_state() -> Iterator[None]:
    """Restores the random states of Python and NumPy at the end of the block.

    A training sets them. A caller that draws numbers between two trainings, as a randomised search
    does, would draw the same ones again and again.
    """
    python, legacy = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)

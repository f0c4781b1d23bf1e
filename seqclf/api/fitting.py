"""`fit`: trains a classifier and returns its run."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqclf.api.defaults import completed, data_of, read_config
from seqclf.api.runs import TrainedRun
from seqclf.config import Config, DataConfig
from seqclf.console.tensorflow_start import start_quietly
from seqclf.errors import ConfigError, DataError

if TYPE_CHECKING:
    import ml_collections

    from seqclf.data.dataset import Dataset


def fit(
    config: "Config | ml_collections.ConfigDict | Mapping[str, Any] | str | Path | None" = None,
    dataset: "Dataset | None" = None,
    *,
    workdir: str | Path,
    export: bool = True,
) -> TrainedRun:
    """Trains a classifier, scores it once on the test split, and writes a report and an export.

    It does what `python -m seqclf.train` does. If an earlier call with the same config and data was
    stopped, the training goes on where it was; if it was finished, nothing is trained again.

    Args:
        config: what is trained, and how:

            - a `Config`, or a draft that `default_config` returned;
            - the name of a recipe that comes with seqclf, such as "digits", or the path of one;
            - a dictionary with some keys, such as `{"steps": 500, "model.units": [32]}`; the others
              get values that suit the size of the data (`docs/python.md` says which);
            - None: all keys get such values.
        dataset: the data. It takes the place of `config.data`. None: `config.data` is loaded.
        workdir: the run directory; it is created if needed.
        export: whether to write an export into the run directory; `seqclf.export` can write one
            later.

    Returns:
        The run.

    Raises:
        ConfigError: the config cannot be used, or names no data.
        DataError: the data cannot be trained on.
        RunError: the folder holds the run of another config or of other data.

    Example:
        >>> run = seqclf.fit("digits", workdir="runs/digits")  # doctest: +SKIP
        >>> run.report["test"]["accuracy"]  # doctest: +SKIP
        0.9888888888888889
    """
    start_quietly()
    from seqclf.experiment.run import run_experiment
    from seqclf.training.distribution.strategy import make_workers

    _check_dataset(dataset)
    chosen, loaded = _chosen(config, dataset)
    workers = make_workers(chosen)
    run_experiment(chosen, workdir, dataset=loaded, export=export, workers=workers)
    return TrainedRun(workdir, loaded)


def _check_dataset(dataset: Any) -> None:
    from seqclf.data.dataset import Dataset

    if dataset is not None and not isinstance(dataset, Dataset):
        raise DataError(
            "`dataset` must be what seqclf.load_dataset or seqclf.Dataset.from_arrays returns. "
            f"Received: {type(dataset).__name__}"
        )


def _chosen(config: Any, dataset: "Dataset | None") -> "tuple[Config, Dataset | None]":
    """Returns the whole config, and the dataset if it is loaded already."""
    checked, changes = read_config(config)  # a wrong key is told before any data is loaded
    if changes is None:
        return (checked, None) if dataset is None else (_with_data(checked, dataset), dataset)
    if dataset is None:
        dataset = _load(changes, checked.data)
    elif of_data := [key for key in changes if key.startswith("data.")]:
        raise ConfigError(
            f"`{of_data[0]}` cannot be changed for a dataset that is loaded already: give it to "
            "seqclf.load_dataset or seqclf.Dataset.from_arrays. Received: both the key and "
            "`dataset`"
        )
    print(
        f"config  keys that are not given have values that suit {len(dataset.train):,} training "
        "examples",
        flush=True,
    )
    return completed(changes, dataset), dataset


def _with_data(config: Config, dataset: "Dataset") -> Config:
    return dataclasses.replace(config, data=data_of(dataset))


def _load(changes: Mapping[str, Any], data: DataConfig) -> "Dataset":
    from seqclf.console.progress import announce
    from seqclf.data.sources import load_dataset

    if "data.source" not in changes:
        raise ConfigError(
            "`fit` needs data: give `dataset`, or name it in the config, such as "
            '{"data.source": "digits"}. Received: neither'
        )
    announce(f"Loading {data.source}")
    return load_dataset(**data.to_dict())

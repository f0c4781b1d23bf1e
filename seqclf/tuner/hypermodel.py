"""`ClassifierHyperModel`: our classifier and its training in the form that Keras Tuner expects."""

import functools
import json
from collections.abc import Callable
from typing import Any

import keras
import keras_tuner

from seqclf.config import CRITERIA, Config
from seqclf.config.search_space import SearchSpace
from seqclf.console.progress import Progress
from seqclf.data.dataset import Dataset
from seqclf.data.sources import load_dataset
from seqclf.experiment.manifest import record_start
from seqclf.experiment.report import build_report, write_report
from seqclf.experiment.run import training_facts
from seqclf.storage.run_directory import Run
from seqclf.training.effective import effective_config, total_steps
from seqclf.training.loop import build, fit
from seqclf.training.metrics_log import read_metrics
from seqclf.training.scoring import make_scorer

OBJECTIVES = {  # what a run logs at each validation, with the direction that is better
    **{f"validation_{name}": direction for name, direction in CRITERIA.items()},
    "train_accuracy": "max",
    "train_loss": "min",
    "train_seconds": "min",
}


class ClassifierHyperModel(keras_tuner.HyperModel):  # type: ignore[misc]  # no types
    """Builds and trains a classifier from hyper-parameters, as `seqclf.train` does from a config.

    Args:
        space: the search space, which includes the config that trials start from.

    Example:
        >>> from seqclf.config.search_space import Choice
        >>> space = SearchSpace({"data": {"source": "digits"}}, {"batch_size": Choice(32, 64)})
        >>> ClassifierHyperModel(space).build(keras_tuner.HyperParameters()).name
        'classifier'
    """

    def __init__(self, space: SearchSpace):
        super().__init__(name="classifier")
        self.space = space

    def declare_hyperparameters(self, hp: keras_tuner.HyperParameters) -> None:
        """Declares every key of the search space on `hp`."""
        self.space.declare(hp)

    def config(self, hp: keras_tuner.HyperParameters) -> Config:
        """Returns the resolved config of a trial.

        Raises:
            ConfigError: the values of the trial contradict each other.
        """
        return self.space.apply(self.space.declare(hp))

    def build(self, hp: keras_tuner.HyperParameters, seed: int | None = None) -> keras.Model:
        """Returns a new classifier.

        Args:
            hp: the values of the trial.
            seed: seed of the initial weights; None takes the config's.

        Raises:
            ConfigError: the values of the trial contradict each other.
        """
        config = with_seed(self.config(hp), seed)
        return build(config, dataset_of(config).spec)

    def fit(
        self,
        hp: keras_tuner.HyperParameters,
        model: keras.Model,
        *,
        run: Run,
        objective: str = "validation_accuracy",
        seed: int | None = None,
        fraction: float = 1.0,
        make_progress: Callable[[int, int], Progress] = Progress,
        **manifest: Any,
    ) -> dict[str, float]:
        """Trains a trial in a run directory, or resumes the training there.

        The test split is never looked at.

        Args:
            hp: the values of the trial.
            model: the classifier that `build` returned for them.
            run: the run directory.
            objective: name of the objective, one of `OBJECTIVES`.
            seed: the seed that `build` was given.
            fraction: fraction of the whole training after which to stop; a later call resumes.
            make_progress: makes the object that shows the progress; see `seqclf.training.loop.fit`.
            **manifest: further entries for the run's manifest.

        Returns:
            The value of the objective by its name: an objective of the validation has its best
            value so far, or with `select="last"` its last one; another one has its last value.

        Raises:
            SeqclfError: the training fails; see `seqclf.training.loop.fit`.
        """
        config = with_seed(self.config(hp), seed)
        dataset = dataset_of(config)
        run.prepare(config)
        record_start(run, config, dataset, **manifest)
        config = effective_config(config, dataset)
        until = max(1, round(fraction * total_steps(config, dataset)))
        model, state, score = fit(
            config,
            dataset,
            run,
            model=model,
            until=until,
            make_progress=make_progress,
            also_log=criteria_of(objective),
        )
        score = score or make_scorer(model, dataset.spec)(dataset.validation)
        facts = training_facts(config, model, state) | {"fallback": ""}
        report = build_report(config, dataset, score, facts, split="validation")
        write_report(run, config, dataset, score, report)
        run.update_manifest(status="finished")
        values = [record[objective] for record in read_metrics(run)]
        return {objective: _value_of_trial(config, objective, values)}


def _value_of_trial(config: Config, objective: str, values: list[float]) -> float:
    """Returns the value that the weights of a trial have, of the values at its validations."""
    if config.select != "last" and objective.startswith("validation"):
        return max(values) if OBJECTIVES[objective] == "max" else min(values)
    return values[-1]


def criteria_of(objective: str) -> list[str]:
    """Returns the quantity of `CRITERIA` that an objective is about; [] if it is another one."""
    name = objective.removeprefix("validation_")
    return [name] if name in CRITERIA and name != objective else []


def with_seed(config: Config, seed: int | None) -> Config:
    """Returns the config with another seed; with None it is left as it is."""
    if seed is None:
        return config
    return config.changed({"seed": seed})


def dataset_of(config: Config) -> Dataset:
    """Returns the dataset of a config; the last one that was loaded is kept in memory."""
    return _load(json.dumps(config.data.to_dict()))


@functools.lru_cache(maxsize=1)
def _load(arguments: str) -> Dataset:
    return load_dataset(**json.loads(arguments))

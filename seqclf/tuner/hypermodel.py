"""`ClassifierHyperModel`: this package's classifier and training, as Keras Tuner asks for them."""

import functools
import json
from collections.abc import Callable
from typing import Any

import keras
import keras_tuner

from seqclf.config import Config
from seqclf.config.search_space import SearchSpace
from seqclf.console.progress import Progress
from seqclf.data.dataset import Dataset
from seqclf.data.sources import load_dataset
from seqclf.experiment.report import build_report, write_report
from seqclf.experiment.run import begin, training_facts
from seqclf.storage.run_directory import Run
from seqclf.training.evaluation import Scorer
from seqclf.training.loop import build, fit, total_steps
from seqclf.training.metrics_log import read_metrics

OBJECTIVES = {  # what a run logs at each validation, and which way is better
    "validation_accuracy": "max",
    "validation_loss": "min",
    "train_accuracy": "max",
    "train_loss": "min",
    "train_seconds": "min",
}


class ClassifierHyperModel(keras_tuner.HyperModel):
    """Builds and trains a classifier from hyper-parameters, as `seqclf.train` does from a config.

    Args:
        space: the search space, with the config that it varies.

    Example:
        >>> space = SearchSpace({"data": {"source": "digits"}}, {"batch_size": Choice(32, 64)})
        >>> ClassifierHyperModel(space).build(keras_tuner.HyperParameters()).name
        'classifier'
    """

    def __init__(self, space: SearchSpace):
        super().__init__(name="classifier")
        self.space = space

    def declare_hyperparameters(self, hp: keras_tuner.HyperParameters) -> None:
        self.space.declare(hp)

    def config(self, hp: keras_tuner.HyperParameters) -> Config:
        """Returns the resolved config of a trial.

        Raises:
            ConfigError: the values contradict each other.
        """
        return self.space.apply(self.space.declare(hp))

    def build(self, hp: keras_tuner.HyperParameters, seed: int | None = None) -> keras.Model:
        """Returns a new classifier, its weights drawn from `seed`, or the config's."""
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
        share: float = 1.0,
        make_progress: Callable[[int, int], Progress] = Progress,
        **manifest: Any,
    ) -> dict[str, float]:
        """Trains in a run directory, or goes on there; the test split is never looked at.

        Args:
            hp: the trial's values.
            model: from `build`.
            run: the run directory.
            objective: one of `OBJECTIVES`.
            seed: what `build` was given.
            share: how much of the training to do, 0 to 1; a later call goes on.
            make_progress: see `seqclf.training.loop.fit`.
            **manifest: entries for the run's manifest.

        Returns:
            The objective by name: its best value so far with `select='best'`, or else its last.

        Raises:
            SeqclfError: as `seqclf.training.loop.fit`.
        """
        config = with_seed(self.config(hp), seed)
        dataset = dataset_of(config)
        run.prepare(config)
        begin(run, config, dataset, **manifest)
        until = max(1, round(share * total_steps(config, dataset)))
        model, state, score = fit(
            config, dataset, run, model=model, until=until, make_progress=make_progress
        )
        score = score or Scorer(model, dataset.spec)(dataset.validation)
        facts = training_facts(config, model, state) | {"fallback": ""}
        report = build_report(config, dataset, score, facts, split="validation")
        write_report(run, config, dataset, score, report)
        run.update_manifest(status="finished")
        values = [record[objective] for record in read_metrics(run)]
        if config.select == "best" and objective.startswith("validation"):
            best = max if OBJECTIVES[objective] == "max" else min
            return {objective: best(values)}
        return {objective: values[-1]}


def with_seed(config: Config, seed: int | None) -> Config:
    """Returns the config with another seed, or as it is."""
    if seed is None:
        return config
    return config.changed({"seed": seed})


def dataset_of(config: Config) -> Dataset:
    """Returns the config's data set; the last one is kept."""
    return _load(json.dumps(config.data.to_dict()))


@functools.lru_cache(maxsize=1)
def _load(arguments: str) -> Dataset:
    return load_dataset(**json.loads(arguments))

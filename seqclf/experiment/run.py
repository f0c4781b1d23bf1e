"""`run_experiment`: loads data, trains, scores the test split once, reports and exports."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras

from seqclf.config import Config, as_begun
from seqclf.console.progress import CountProgress, announce, announce_finished
from seqclf.data.dataset import Dataset
from seqclf.data.sources import load_dataset
from seqclf.errors import ConfigError
from seqclf.experiment.announcement import training_in_words
from seqclf.experiment.manifest import record_end, record_start
from seqclf.experiment.report import build_report, write_report
from seqclf.experiment.samples import write_samples
from seqclf.experiment.worker_agreement import check_same_inputs
from seqclf.serving.export import export_run
from seqclf.serving.versions import versions
from seqclf.storage.run_directory import Run
from seqclf.training.distribution.strategy import check_batch_divides
from seqclf.training.distribution.workers import Workers
from seqclf.training.effective import check_fits_data, effective_config, total_steps
from seqclf.training.loop import fit
from seqclf.training.scoring import make_scorer
from seqclf.training.state import State


def run_experiment(
    config: Config,
    workdir: str | Path,
    fallback: str = "",
    *,
    dataset: Dataset | None = None,
    export: bool = True,
    workers: Workers | None = None,
) -> dict[str, Any]:
    """Runs a whole experiment, from data to report and export; resumes what an earlier call began.

    Args:
        config: a resolved config.
        workdir: the run directory. If its run is finished, nothing is done and its report is
            returned.
        fallback: the reason why this run replaces the one that the user would have had by default;
            it is recorded in manifest and report.
        dataset: the config's data; None loads it.
        export: whether to write an export; `python -m seqclf.export` can write it later as well.
        workers: the processes that share the training. Each of them calls this function with the
            same config and data; only the chief's `workdir` is used. None: this process alone.

    Returns:
        The content of `report.json`.

    Raises:
        SeqclfError: the config, the data or the run directory cannot be used, or a worker is lost.
        Interrupted: a signal asked for the end; the training so far is saved.
    """
    run, workers = Run(workdir), workers or Workers()
    config, report = _begun_before(run, config, workers)
    if report is not None:
        if workers.is_chief:
            announce_finished(run.path)
        return report
    data = _load_on_all_workers(config, dataset, workers)
    with _started_run(run, config, data, fallback, workers):
        config = effective_config(config, data, workers.replicas)
        if workers.is_chief:
            announce("Preparing the first step")
        model, state, _ = fit(config, data, run, workers=workers)
        if workers.is_chief:
            announce("Scoring the test split")
        score = make_scorer(model, data.spec, workers=workers)(data.test, CountProgress("Scored"))
        facts = training_facts(config, model, state) | {"fallback": fallback}
        report = build_report(config, data, score, facts)
        if workers.is_chief:
            write_samples(run, data)
            if export and not versions(run.export):  # an earlier call may have come this far
                export_run(run, run.export, report=report)
            announce("Writing the report")
            write_report(run, config, data, score, report)  # last: it says that all is done
            record_end(run)
        workers.exchange(None)  # wait for the chief: a worker that leaves earlier counts as lost
        return report


def training_facts(config: Config, model: keras.Model, state: State) -> dict[str, Any]:
    """Returns the facts about a finished training that its report lists.

    Args:
        config: the config as `effective_config` returns it.
        model: the trained model.
        state: the state at the end.
    """
    return {
        "parameters": int(model.count_params()),
        "steps": state.step,
        "stopped_early": state.stopped_early,
        "skipped_steps": state.skipped,
        "selected_step": state.step if config.select == "last" else state.best_step,
        "validation_accuracy": state.best_accuracy if state.best_step else None,
        "train_seconds": round(state.train_seconds, 1),
        "wait_share": round(state.wait_seconds / state.train_seconds, 4),
    }


def _begun_before(
    run: Run, config: Config, workers: Workers
) -> tuple[Config, dict[str, Any] | None]:
    """Returns the config with which the run was begun, and its report, None until it is finished.

    Only the chief's folder counts. The config is the one given if no earlier call has begun a run.
    """

    def look() -> Any:
        if not workers.is_chief:
            return None
        run.check_usable(config)
        begun = as_begun(config, run.read_config()) if run.config.exists() else config
        chosen = {"select": begun.select, "early_stopping": begun.early_stopping}
        return chosen, run.read_report() if run.report.exists() else None

    chosen, report = workers.exchange(workers.agree(look))[0]
    return config.changed(chosen), report


def _load_on_all_workers(config: Config, dataset: Dataset | None, workers: Workers) -> Dataset:
    """Returns the data, once every worker has it and all have the same."""

    def load() -> Dataset:
        if dataset is None:
            announce(f"Loading {config.data.source}")
        loaded = dataset or load_dataset(**config.data.to_dict())
        _check_has_test_split(config, loaded)
        check_fits_data(config, loaded)
        check_batch_divides(effective_config(config, loaded, workers.replicas), workers)
        return loaded

    loaded: Dataset = workers.agree(load)
    check_same_inputs(workers, config, loaded)
    return loaded


def _check_has_test_split(config: Config, dataset: Dataset) -> None:
    if not len(dataset.test):
        raise ConfigError(
            "A run ends with the score of its test split, and there are no test examples: set "
            "`data.test` above 0. seqclf.SequenceClassifier trains without a test split. Received: "
            f"data.test={config.data.test:g}"
        )


@contextlib.contextmanager
def _started_run(
    run: Run, config: Config, data: Dataset, fallback: str, workers: Workers
) -> Iterator[None]:
    """Claims the run directory and announces the training; holds its lock inside the block."""
    with contextlib.ExitStack() as lock:

        def start() -> None:
            if workers.is_chief:
                lock.enter_context(run.locked())
                run.prepare(config)
                record_start(run, config, data, fallback=fallback, workers=workers.count)
                steps = total_steps(effective_config(config, data, workers.replicas), data)
                print(training_in_words(config, data, steps, workers), flush=True)

        workers.agree(start)
        yield

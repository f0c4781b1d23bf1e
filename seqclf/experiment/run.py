"""`run_experiment`: load, train, evaluate once on the test split, report, export."""

import contextlib
import datetime
import json
import shutil
from pathlib import Path
from typing import Any

import keras

from seqclf.config import Config, differences, to_json
from seqclf.config.wording import batch_in_words, distortions_in_words, model_in_words
from seqclf.data.dataset import Dataset
from seqclf.data.sources import load_dataset
from seqclf.errors import ConfigError, RunError
from seqclf.experiment.report import build_report, write_report
from seqclf.experiment.samples import write_samples
from seqclf.models.loading import load_classifier
from seqclf.serving.export import export_run
from seqclf.serving.publish import versions
from seqclf.storage.environment import describe_environment
from seqclf.storage.files import read_json, write_text
from seqclf.storage.run_directory import Run
from seqclf.training.distribution.strategy import check_shared
from seqclf.training.distribution.workers import Workers
from seqclf.training.evaluation import Scorer, class_report
from seqclf.training.loop import State, check, fit, total_steps


def run_experiment(
    config: Config,
    workdir: str | Path,
    fallback: str = "",
    *,
    dataset: Dataset | None = None,
    export: bool = True,
    workers: Workers | None = None,
) -> dict[str, Any]:
    """Takes a config from data to report and export; resumes what an earlier call began.

    Args:
        config: a resolved config.
        workdir: the run directory. A finished one is left as it is and its report is returned.
        fallback: why this is not the run that the user would have had by default; it is recorded.
        dataset: the config's data; None: it is loaded.
        export: whether an export is written; `python -m seqclf.export` does it later as well.
        workers: who shares the work; each of them calls this function with the same config and
            data, and only the chief's `workdir` is looked at. None: nobody.

    Returns:
        The content of `report.json`.

    Raises:
        SeqclfError: the config, the data or the run directory cannot be used, or a worker is lost.
        Interrupted: a signal asked for it; the training so far is saved.
    """
    run, workers = Run(workdir), workers or Workers()

    def earlier_report() -> Any:
        if not workers.is_chief:
            return None
        run.check(config)  # the report is written last: with it, all is done
        return read_json(run.report) if run.report.exists() else None

    report = workers.exchange(workers.agree(earlier_report))[0]
    if report is not None:
        return report

    def load() -> Dataset:
        loaded = dataset or load_dataset(**config.data.to_dict())
        check(config, loaded)
        check_shared(config, workers)
        return loaded

    data = workers.agree(load)
    check_same(workers, config, data)
    with contextlib.ExitStack() as lock:

        def claim() -> None:
            if workers.is_chief:
                lock.enter_context(run.locked())
                run.prepare(config)
                begin(run, config, data, fallback=fallback, workers=workers.count)
                print(describe(config, data, total_steps(config, data), workers), flush=True)

        workers.agree(claim)
        return _whole(config, run, data, fallback, export, workers)


def _whole(
    config: Config,
    run: Run,
    data: Dataset,
    fallback: str,
    export: bool,
    workers: Workers,
) -> dict[str, Any]:
    model, state, _ = fit(config, data, run, workers=workers)
    score = Scorer(model, data.spec, workers=workers)(data.test)
    training = training_facts(config, model, state) | {"fallback": fallback}
    report = build_report(config, data, score, training)
    if workers.is_chief:
        write_samples(run, data)
        if export and not versions(run.export):  # a killed process may have come this far
            export_run(run, run.export, report=report)
        write_report(run, config, data, score, report)
        run.update_manifest(status="finished", finished=_now())
    workers.exchange(None)  # one that left earlier would count as lost
    return report


def check_same(workers: Workers, config: Config, dataset: Dataset) -> None:
    """Checks that all workers have one config and one data set.

    Raises:
        ConfigError: they differ; each worker says it.
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


def training_facts(config: Config, model: keras.Model, state: State) -> dict[str, Any]:
    """Returns what a report says of a training."""
    return {
        "parameters": int(model.count_params()),
        "steps": state.step,
        "stopped_early": state.stopped_early,
        "skipped_steps": state.skipped,
        "selected_step": state.best_step if config.select == "best" else state.step,
        "validation_accuracy": state.best_accuracy,
        "train_seconds": round(state.train_seconds, 1),
        "wait_share": round(state.wait_seconds / state.train_seconds, 4),
    }


def evaluate_run(run: Run, split: str) -> dict[str, Any]:
    """Scores the model of a run on one of its splits.

    Args:
        run: a trained run.
        split: `train`, `validation` or `test`.

    Returns:
        What `class_report` gives.

    Raises:
        RunError: the run has no model yet, or its data has changed since.
    """
    config = run.read_config()
    if not run.model.exists():
        raise RunError(f"{run.path} has no model.keras yet: finish its training first.")
    dataset = load_dataset(**config.data.to_dict())
    _check_fingerprint(run, dataset)
    model = load_classifier(run.model, dataset.spec)
    score = Scorer(model, dataset.spec)(dataset.split(split))
    return class_report(score, dataset.spec.class_names)


def describe(config: Config, dataset: Dataset, total: int, workers: Workers) -> str:
    """Returns what is about to happen, for people."""
    shared = f"workers {workers.in_words()}"
    spec = dataset.spec
    counts = ", ".join(f"{name} {len(split):,}" for name, split in dataset.splits())
    upto = "up to " if spec.variable_length else ""
    distortions = distortions_in_words(config)
    epochs = total * config.examples_per_step / len(dataset.train)
    return "\n".join(
        [
            f"data    {dataset.origin}",
            f"        {upto}{spec.time_steps} steps of {spec.features} features ({spec.reading}), "
            f"{spec.num_classes} classes; {counts}",
            f"model   {model_in_words(config)}",
            *[f"augment {distortions}"] * bool(distortions),
            f"train   {total:,} steps of {batch_in_words(config)} ({epochs:.1f} epochs), "
            f"{config.optimizer.name}, {config.optimizer.schedule} learning rate "
            f"{config.optimizer.learning_rate:g}, seed {config.seed}",
            *[shared] * (not workers.alone),
        ]
    )


def begin(run: Run, config: Config, dataset: Dataset, **entries: Any) -> None:
    """Notes in a prepared run directory that a training begins in it, or goes on.

    Args:
        run: the run directory.
        config: its resolved config.
        dataset: its data.
        **entries: more for the manifest.

    Raises:
        RunError: the run began with other data.
    """
    for left_over in [*run.path.glob("**/.tmp-*")]:  # half-written by a process that was killed
        if left_over.is_dir():
            shutil.rmtree(left_over)
        else:
            left_over.unlink(missing_ok=True)
    manifest = run.read_manifest()
    if "started" in manifest:
        _check_fingerprint(run, dataset)
        write_text(run.dataset, dataset.spec.to_json())  # it may have been damaged since
        run.update_manifest(resumed=[*manifest.get("resumed", []), _now()], **entries)
        return
    write_text(run.dataset, dataset.spec.to_json())
    run.update_manifest(
        status="started",
        started=_now(),
        seed=config.seed,
        data={"origin": dataset.origin, "fingerprint": dataset.fingerprint()},
        **entries,
        **describe_environment(),
    )


def _check_fingerprint(run: Run, dataset: Dataset) -> None:
    recorded = run.read_manifest().get("data", {}).get("fingerprint")
    if recorded and recorded != dataset.fingerprint():
        raise RunError(
            f"The data of {dataset.spec.source} is not what the run in {run.path} was trained on "
            f"(SHA-256 {dataset.fingerprint()[:12]}… instead of {recorded[:12]}…). Bring back that "
            "data, or choose another --workdir."
        )


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")

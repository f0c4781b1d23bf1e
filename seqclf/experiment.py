"""`run_experiment`: load, train, evaluate once on the test split, report, export."""

import datetime
import json
import shutil
from pathlib import Path
from typing import Any

import keras
import ml_collections

from seqclf.config import examples_per_step
from seqclf.data.dataset import Dataset
from seqclf.data.sources import load_dataset
from seqclf.environment import describe_environment
from seqclf.errors import RunError
from seqclf.evaluation import Scorer, class_report
from seqclf.models import load_classifier
from seqclf.report import build_report, write_report
from seqclf.runs import Run, write_text
from seqclf.samples import write_samples
from seqclf.serving.export import export_run
from seqclf.serving.publish import versions
from seqclf.training import State, check, fit, total_steps
from seqclf.wording import batch_in_words, distortions_in_words, model_in_words


def run_experiment(
    config: ml_collections.FrozenConfigDict,
    workdir: str | Path,
    fallback: str = "",
    *,
    dataset: Dataset | None = None,
    export: bool = True,
) -> dict[str, Any]:
    """Takes a config from data to report and export; resumes what an earlier call began.

    Args:
        config: a resolved config.
        workdir: the run directory. A finished one is left as it is and its report is returned.
        fallback: why this is not the run that the user would have had by default; it is recorded.
        dataset: the config's data; None: it is loaded.
        export: whether an export is written; `python -m seqclf.export` does it later as well.

    Returns:
        The content of `report.json`.

    Raises:
        SeqclfError: the config, the data or the run directory cannot be used.
    """
    run = Run(workdir)
    run.check(config)
    if run.report.exists():  # it is written last: all is done
        return json.loads(run.report.read_text())
    dataset = dataset or load_dataset(**config.data.to_dict())
    check(config, dataset)
    total = total_steps(config, dataset)
    run.prepare(config)
    begin(run, config, dataset, fallback=fallback)
    print(describe(config, dataset, total), flush=True)
    model, state, _ = fit(config, dataset, run)
    score = Scorer(model, dataset.spec)(dataset.test)
    write_samples(run, dataset)
    training = training_facts(config, model, state) | {"fallback": fallback}
    report = build_report(config, dataset, score, training)
    if export and not versions(run.export):  # a killed process may have come this far
        export_run(run, run.export, report=report)
    write_report(run, config, dataset, score, report)
    run.update_manifest(status="finished", finished=_now())
    return report


def training_facts(config: Any, model: keras.Model, state: State) -> dict[str, Any]:
    """Returns what a report says of a training."""
    return {
        "parameters": int(model.count_params()),
        "steps": state.step,
        "stopped_early": state.stopped_early,
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


def describe(config: Any, dataset: Dataset, total: int) -> str:
    """Returns what is about to happen, for people."""
    spec = dataset.spec
    counts = ", ".join(f"{name} {len(split):,}" for name, split in dataset.splits())
    upto = "up to " if spec.variable_length else ""
    distortions = distortions_in_words(config)
    epochs = total * examples_per_step(config) / len(dataset.train)
    return "\n".join(
        [
            f"data    {dataset.origin}",
            f"        {upto}{spec.steps} steps of {spec.features} features ({spec.reading}), "
            f"{spec.num_classes} classes; {counts}",
            f"model   {model_in_words(config)}",
            *[f"augment {distortions}"] * bool(distortions),
            f"train   {total:,} steps of {batch_in_words(config)} ({epochs:.1f} epochs), "
            f"{config.optimizer.name}, {config.optimizer.schedule} learning rate "
            f"{config.optimizer.learning_rate:g}, seed {config.seed}",
        ]
    )


def begin(
    run: Run, config: ml_collections.FrozenConfigDict, dataset: Dataset, **entries: Any
) -> None:
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

"""`ClassifierTuner`: runs the trials of a search, each in a run directory of its own."""

import contextlib
import io
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import keras
import keras_tuner
import tensorflow as tf
from keras_tuner.src.distribute import utils as distribution
from keras_tuner.src.engine import stateful

from seqclf.config.search_space import shown
from seqclf.console.progress import Progress
from seqclf.errors import ConfigError, TrainingError
from seqclf.storage.files import replacing, write_json
from seqclf.storage.folders import new_folder
from seqclf.storage.run_directory import Run
from seqclf.tuner.hypermodel import ClassifierHyperModel, with_seed
from seqclf.tuner.progress import trial_in_words, trial_number

MAX_STARTS = 3  # a trial that kills the process at the same place so often would do so again
PROJECT = "keras_tuner"  # subfolder of a search's folder that holds Keras Tuner's own files


class ClassifierTuner(keras_tuner.Tuner):  # type: ignore[misc]  # no types
    """Keras Tuner's `Tuner` over `ClassifierHyperModel`.

    A trial is recorded as failed if its training diverges, if it runs out of memory or if its
    config contradicts itself; the search goes on. Any other error ends the search, and the same
    call resumes it. A trial that was killed resumes from its last checkpoint. A trial that
    Hyperband promotes starts from the last checkpoint of the trial that it continues.

    Args:
        hypermodel: builds and trains the classifiers.
        oracle: chooses the values of each trial; made by `make_oracle`.
        folder: folder of the search.
        max_epochs: epochs of a whole training, as Hyperband counts them.
        executions_per_trial: trainings of each trial, with consecutive seeds; their mean counts.
        make_progress: makes the object that shows the progress; see `seqclf.training.loop.fit`.
    """

    def __init__(
        self,
        hypermodel: ClassifierHyperModel,
        oracle: keras_tuner.Oracle,
        folder: Path,
        *,
        max_epochs: int,
        executions_per_trial: int,
        make_progress: Callable[[int, int], Progress],
    ):
        self._folder = folder
        self._max_epochs = max_epochs
        self._make_progress = make_progress
        self._idle = False
        with contextlib.redirect_stdout(io.StringIO()):  # "Reloading Tuner from …"
            super().__init__(
                oracle,
                hypermodel,
                directory=str(folder),
                project_name=PROJECT,
                executions_per_trial=executions_per_trial,
            )

    def _populate_initial_space(self) -> None:
        """Declares the whole space.

        The original builds models until every condition has been met once.
        """
        hp = self.oracle.get_space()
        self.hypermodel.declare_hyperparameters(hp)
        self.oracle.update_space(hp)

    def search(self) -> None:
        """Runs trials until there are no more; a chief serves workers until they are done."""
        if distribution.is_chief_oracle():
            stop = threading.Event()
            watch = threading.Thread(target=self._watch_workers, args=[stop], daemon=True)
            watch.start()
            try:
                super().search()
            finally:
                stop.set()
            return
        self.save()  # the original saves after the first trial; a kill before it loses the seed
        super().search()

    def pre_create_trial(self) -> None:
        """Waits a second if the oracle had no trial just now; the original asks again at once."""
        if self._idle:
            time.sleep(1)
        self._idle = True

    def on_trial_begin(self, trial: Any) -> None:
        """Prints the values of a trial in a worker; elsewhere the oracle's listener does."""
        self._idle = False
        if self._is_worker():
            print(f"\ntrial {trial_in_words(self.hypermodel.space, trial)}", flush=True)

    def on_trial_end(self, trial: Any) -> None:
        """Records the end of a trial, and prints it in a worker."""
        super().on_trial_end(trial)
        if self._is_worker():
            outcome = "failed" if trial.status == "FAILED" else "done"
            print(f"    trial {trial_number(trial.trial_id)}: {outcome}", flush=True)

    def run_trial(self, trial: Any) -> list[dict[str, float]]:
        """Trains a trial once for each execution.

        Returns:
            The objective of each execution, by name.

        Raises:
            FailedTrialError: the trial has failed by its own values, or for want of memory.
            FatalRuntimeError: anything else went wrong; the cause is attached.
        """
        with self._heartbeat(trial):
            try:
                return [self._execute(trial, i) for i in range(self.executions_per_trial)]
            except (TrainingError, ConfigError) as error:
                raise self._failed(trial, str(error)) from error
            except (tf.errors.ResourceExhaustedError, MemoryError) as error:
                reason = str(error).splitlines()[0] if str(error) else "MemoryError"
                raise self._failed(trial, f"out of memory: {reason}") from error
            except keras_tuner.errors.FailedTrialError:
                raise
            except Exception as error:
                raise keras_tuner.errors.FatalRuntimeError(str(error)) from error

    def save(self) -> None:
        """Writes the state of the tuner, and of the oracle if it is in this process."""
        if not self._is_worker():
            self.oracle.save()
        with replacing(Path(self._get_tuner_fname())) as path:
            stateful.Stateful.save(self, str(path))

    def _execute(self, trial: Any, execution: int) -> dict[str, float]:
        """Trains a trial once; returns the objective.

        Raises:
            RunError: another process trains it, such as a second worker of the same ID.
        """
        run = run_of_trial(self._folder, trial.trial_id, execution)
        parent = trial.hyperparameters.values.get("tuner/trial_id")
        if parent:
            _copy_checkpoint(run_of_trial(self._folder, parent, execution), run)
        with run.locked():
            return self._train(trial, run, self.hypermodel.space.config.seed + execution)

    def _train(self, trial: Any, run: Run, seed: int) -> dict[str, float]:
        keras.backend.clear_session()  # releases the model of the trial before
        hp = trial.hyperparameters
        run.prepare(with_seed(self.hypermodel.config(hp), seed))
        self._count_start(trial, run)
        values = self.hypermodel.space.declare(hp)
        if not run.tensorboard.exists():
            _log_hparams(run, values)
        objectives: dict[str, float] = self.hypermodel.fit(
            hp,
            self.hypermodel.build(hp, seed),
            run=run,
            objective=self.oracle.objective.name,
            seed=seed,
            fraction=hp.values.get("tuner/epochs", self._max_epochs) / self._max_epochs,
            make_progress=self._make_progress,
            trial=trial_number(trial.trial_id),
            hyperparameters=values,
        )
        return objectives

    def _failed(self, trial: Any, reason: str) -> Exception:
        """Records why a trial has failed; returns the error to raise."""
        run = run_of_trial(self._folder, trial.trial_id, 0)
        run.update_manifest(trial=trial_number(trial.trial_id), status="failed", reason=reason)
        error: Exception = keras_tuner.errors.FailedTrialError(reason)
        return error

    def _count_start(self, trial: Any, run: Run) -> None:
        """Counts how often a trial was started at the same step.

        Raises:
            FailedTrialError: it was started there `MAX_STARTS` times before.
        """
        saved = sorted(path.name for path in run.checkpoints.glob("step-*.npz"))
        place = saved[-1] if saved else ""
        before = run.read_manifest().get("starts", {})
        count = 1 + (before.get("count", 0) if before.get("place") == place else 0)
        if count > MAX_STARTS:
            raise self._failed(
                trial,
                f"the process was stopped {MAX_STARTS} times at the same place "
                f"({place or 'before the first checkpoint'}); did it run out of memory?",
            )
        run.update_manifest(starts={"place": place, "count": count})

    @contextlib.contextmanager
    def _heartbeat(self, trial: Any) -> Iterator[None]:
        """Tells the chief at intervals that this worker still runs the trial."""
        if not self._is_worker():
            yield
            return
        done = threading.Event()
        interval = self.oracle._oracle.lost_after / 6

        def beat() -> None:
            while not done.wait(interval):
                with contextlib.suppress(grpc.RpcError):  # a chief that restarts is called again
                    self.oracle.get_trial(trial.trial_id)

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _watch_workers(self, stop: threading.Event) -> None:
        """Takes trials away from silent workers, until `stop` is set."""
        while not stop.wait(self.oracle.lost_after / 6):
            self.oracle.release_lost()


def run_of_trial(folder: Path, trial_id: str, execution: int) -> Run:
    """Returns the run directory of one execution of a trial.

    Trial 7 trains in `trials/007`; its second execution trains in `trials/007.1`.

    Args:
        folder: folder of the search.
        trial_id: Keras Tuner's ID of the trial, which counts from 0.
        execution: number of the execution, from 0.
    """
    suffix = f".{execution}" if execution else ""
    return Run(folder / "trials" / f"{trial_number(trial_id):03d}{suffix}")


def _log_hparams(run: Run, values: dict[str, Any]) -> None:
    """Writes the values of a trial for TensorBoard's HParams page."""
    from tensorboard.plugins.hparams import api

    plain = {key: v if isinstance(v, (bool, int, float)) else shown(v) for key, v in values.items()}
    with tf.summary.create_file_writer(str(run.tensorboard)).as_default():
        api.hparams(plain, trial_id=run.path.name)


def _copy_checkpoint(parent: Run, run: Run) -> None:
    """Makes `run` a copy of `parent` up to its last checkpoint, unless `run` exists already."""
    if run.config.exists():
        return
    shutil.rmtree(run.path, ignore_errors=True)
    with new_folder(run.path) as folder:
        for source in (parent.config, parent.dataset, parent.metrics):
            shutil.copy2(source, folder)
        for source in (parent.checkpoints, parent.tensorboard):
            shutil.copytree(source, folder / source.name)
        manifest = parent.read_manifest()
        manifest.pop("starts", None)
        write_json(folder / run.manifest.name, manifest | {"continues": parent.path.name})

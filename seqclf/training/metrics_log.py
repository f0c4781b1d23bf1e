"""`MetricsLog`: one record for each validation, in `metrics.jsonl` and for TensorBoard."""

import json
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from seqclf.errors import RunError, StorageError
from seqclf.storage.files import write_text
from seqclf.storage.recorded import check_metrics
from seqclf.storage.run_directory import Run
from seqclf.training.state import State


class MetricsLog:
    """Writes the records of one run.

    Args:
        run: the run directory; None: no file is written.
        step: the step at which the training stands. Later records are dropped, because a resumed
            training takes their steps again.

    Raises:
        RunError: a line of `metrics.jsonl` is damaged.
    """

    def __init__(self, run: Run | None, step: int):
        self._run, self._records = run, list[dict[str, Any]]()
        if run:
            self._records = [record for record in read_metrics(run) if record["step"] <= step]
            self._writer = tf.summary.create_file_writer(str(run.tensorboard))

    def add(
        self,
        state: State,
        epoch: float,
        learning_rate: float,
        values: Mapping[str, float | None],
    ) -> dict[str, Any]:
        """Writes the record of a validation and returns it.

        Args:
            state: where the training stands.
            epoch: number of epochs so far.
            learning_rate: the learning rate of the next step.
            values: quantities of the score on the validation split by their name in
                `seqclf.config.CRITERIA`, loss and accuracy among them; {}: it has no examples. One
                that is None is not defined, and left out.

        Raises:
            StorageError: it cannot be written.
        """
        record = {
            "step": state.step,
            "epoch": round(epoch, 4),
            "train_loss": state.interval_loss / state.interval_examples,
            "train_accuracy": state.interval_correct / state.interval_examples,
            **{f"validation_{name}": value for name, value in values.items() if value is not None},
            "learning_rate": learning_rate,
            "train_seconds": round(state.train_seconds, 3),
            "wait_share": round(state.wait_seconds / state.train_seconds, 5),
        }
        self._records.append(record)
        if self._run:
            lines = "".join(json.dumps(record) + "\n" for record in self._records)
            write_text(self._run.metrics, lines)
            self._write_events(self._run, record)
        return record

    def _write_events(self, run: Run, record: dict[str, Any]) -> None:
        try:
            with self._writer.as_default(step=record["step"]):
                for name, value in record.items():
                    if name != "step":
                        tf.summary.scalar(name, value)
            self._writer.flush()
        except tf.errors.OpError as error:
            raise StorageError(f"{run.tensorboard} cannot be written: {error.message}") from error


def read_metrics(run: Run) -> list[dict[str, Any]]:
    """Returns the records of `metrics.jsonl`, lowest step first; `[]` while there are none.

    Raises:
        RunError: a line is damaged.
    """
    if not run.metrics.exists():
        return []
    records: list[dict[str, Any]] = []
    for number, line in enumerate(run.metrics.read_bytes().splitlines(), start=1):
        try:
            record = json.loads(line)
            check_metrics(record)
            if records and record["step"] <= records[-1]["step"]:
                raise ValueError("its `step` is not above that of the line before")
            records.append(record)
        except (ValueError, RecursionError) as error:
            raise RunError(
                f"{run.metrics}, line {number} is damaged: {error}. Bring the file back from a "
                "copy, or take the line out: the run goes on without that record."
            ) from error
    return records

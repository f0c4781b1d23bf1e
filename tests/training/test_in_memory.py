"""A training without a run directory: the same weights, and no file."""

import signal

import numpy as np
import pytest

import seqclf
from seqclf.config import Config, ModelConfig, OptimizerConfig
from seqclf.console.progress import Silent
from seqclf.errors import TrainingError
from seqclf.storage.run_directory import Run
from seqclf.training.loop import fit
from seqclf.training.metrics_log import read_metrics


def data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 4, 2)) + np.arange(120)[:, None, None] % 2 * 0.5
    return seqclf.Dataset.from_arrays(x, np.arange(120) % 2, validation=0.5)


def config(**changes):
    small = {"steps": 24, "validate_every": 4, "batch_size": 8, "jit_compile": False}
    return Config(model=ModelConfig(units=(4,)), **(small | changes))


class Recorded(Silent):
    def __init__(self, total, first):
        self.records = []

    def validation(self, record, best):
        self.records.append(record)


@pytest.mark.parametrize("select", ["loss", "last"])
def test_the_weights_are_those_of_a_training_with_a_run_directory(tmp_path, select):
    rate = OptimizerConfig(learning_rate=0.3, warmup_steps=0, schedule="constant")
    chosen, run = config(select=select, optimizer=rate), Run(tmp_path / "run")
    run.prepare(chosen)
    with_files = fit(chosen, data(), run, make_progress=Silent)
    shown = Recorded(24, 0)
    in_memory = fit(chosen, data(), None, make_progress=lambda total, first: shown)
    if select == "loss":
        assert in_memory.state.best_step < 24  # earlier weights than the last are restored
    for ours, theirs in zip(
        in_memory.model.get_weights(), with_files.model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
    timed = ("train_seconds", "wait_share")
    ours, theirs = (
        [{name: value for name, value in each.items() if name not in timed} for each in records]
        for records in (shown.records, read_metrics(run))
    )
    assert ours == theirs and len(ours) == 6


def test_one_that_diverges_says_so_without_a_checkpoint():
    rate = OptimizerConfig(
        name="sgd", learning_rate=1e38, clip_norm=0, warmup_steps=0, schedule="constant"
    )
    with pytest.raises(TrainingError, match="training has diverged.*'skip'.$"):
        fit(config(optimizer=rate), data(), None, make_progress=Silent)


def test_signals_do_what_they_always_do():
    seen = []

    class Looking(Silent):
        def step(self, state):
            seen.append(signal.getsignal(signal.SIGINT))

    fit(config(steps=2), data(), None, make_progress=Looking)
    assert set(seen) == {signal.getsignal(signal.SIGINT)}

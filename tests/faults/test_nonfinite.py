"""Losses and gradients that are no numbers: stop with the last good checkpoint, or skip."""

import json

import numpy as np
import pytest

from seqclf.config import resolve
from seqclf.data.dataset import Dataset, DatasetSpec, Split
from seqclf.errors import ConfigError, TrainingError
from seqclf.storage.run_directory import Run
from seqclf.training.checkpoints import restore_latest
from seqclf.training.loop import build, fit

POISON = np.inf  # infinite features: their products with weights of both signs are no numbers


def poisoned(count=1):
    """Sequences of which `count` give no finite numbers."""
    rng = np.random.default_rng(0)
    y = (np.arange(240) % 3).astype(np.int32)
    x = (rng.normal(size=(240, 5, 4)) + y[:, None, None]).astype(np.float32)
    clean = Split(x[160:200], y[160:200]), Split(x[200:], y[200:])
    x[:count] = POISON
    spec = DatasetSpec("made up", "rows", (5, 4), "float32", ("a", "b", "c"))
    return Dataset(spec, Split(x[:160], y[:160]), *clean, "made up")


def config(**changes):
    base = {
        "model": {"units": [8], "layer_norm": True},
        "batch_size": 16,
        "steps": 20,
        "validate_every": 10,
        "checkpoint_every": 1,
        "jit_compile": False,
        "shares": 1,
    }
    return resolve({**base, **changes})


def train(path, dataset, chosen):
    run = Run(path)
    run.prepare(chosen)
    return run, fit(chosen, dataset, run)


def test_it_stops_and_the_last_good_checkpoint_stays(tmp_path):
    chosen = config()
    with pytest.raises(
        TrainingError, match=r"at step \d+: training has diverged.*'skip'"
    ) as caught:
        train(tmp_path, poisoned(), chosen)
    run, dataset = Run(tmp_path), poisoned()
    model = build(chosen, dataset.spec)
    state = restore_latest(run, {"model": model.variables})
    said = str(caught.value)
    if state is not None:  # the poison may be in the very first batch
        assert f"of step {state['step']:,}, stays" in said
        assert all(np.isfinite(w).all() for w in model.get_weights())
    step = int(said.split("at step ")[1].split(":")[0].replace(",", ""))
    assert (state or {"step": 0})["step"] == step - 1
    assert not run.model.exists()


def test_it_skips_the_batch_and_says_so(tmp_path, capsys):
    run, (model, state, _) = train(tmp_path, poisoned(), config(nonfinite="skip"))
    assert state.step == 20 and state.skipped == 2  # 10 batches an epoch, one of them each time
    assert all(np.isfinite(w).all() for w in model.get_weights())
    assert "not finite, skipped (2)" in capsys.readouterr().out
    records = [json.loads(line) for line in run.metrics.read_text().splitlines()]
    assert all(np.isfinite(record["train_loss"]) for record in records)


def test_a_skipped_batch_leaves_no_trace(tmp_path):
    """Weights and optimiser are as if the step had not been."""
    from seqclf.training.optimizers import build_optimizer
    from seqclf.training.step import TrainStep

    dataset, chosen = poisoned(count=16), config(nonfinite="skip")
    model = build(chosen, dataset.spec)
    optimizer = build_optimizer(chosen, 20)
    step = TrainStep(model, optimizer, chosen)
    good = dataset.train.x[16:32], dataset.train.y[16:32]
    assert step(*good).finite
    before = [v.numpy() for v in [*model.variables, *optimizer.variables]]
    assert not step(dataset.train.x[:16], dataset.train.y[:16]).finite
    after = [v.numpy() for v in [*model.variables, *optimizer.variables]]
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)


def test_nothing_but_bad_batches_is_an_error(tmp_path):
    with pytest.raises(TrainingError, match="Every batch since the last validation was skipped"):
        train(tmp_path, poisoned(count=160), config(nonfinite="skip"))


def test_it_does_not_go_with_float16():
    with pytest.raises(ConfigError, match="leave `nonfinite` at 'stop'"):
        config(nonfinite="skip", precision="mixed_float16")

"""Two devices of one machine (two virtual CPUs): the same training as one device."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.faults

PROGRAM = """
import json, sys
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)

from pathlib import Path
from seqclf import Dataset, load_dataset
from seqclf.config import resolve
from seqclf.training.distribution.strategy import make_workers
from seqclf.training.metrics_log import read_metrics
from seqclf.console.progress import Silent
from seqclf.storage.run_directory import Run
from seqclf.training.loop import fit


digits = load_dataset("digits")
rng = np.random.default_rng(0)
lengths = np.tile([2, 9, 4, 30], 20)  # the two devices have other numbers of time steps
sequences = [rng.normal(size=(n, 2)).cumsum(0) for n in lengths]
steps = Dataset.from_arrays(sequences, [(each[:, 0] > 0).astype(int) for each in sequences])
found, workers = {}, None
for name, changes in {
    "plain": {},
    "selection": {"batch_selection": 3},
    "dropout": {"model": {"units": [16, 8], "dropout": 0.5}},
    "skipping": {"nonfinite": "skip"},
    "steps": {},
}.items():
    for distribute in ("mirrored", "none"):
        config = resolve({
            "model": {"units": [16, 8]}, "batch_size": 32, "steps": 30, "validate_every": 1,
            "checkpoint_every": 30, "select": "last", "jit_compile": False,
            "distribute": distribute, **changes,
        })
        run = Run(Path(sys.argv[1]) / f"{name}-{distribute}")
        run.prepare(config)
        workers = workers or make_workers(config)  # one strategy a process: see Workers
        sharing = workers if distribute == "mirrored" else None
        data = steps if name == "steps" else digits
        model, state, _ = fit(config, data, run, make_progress=Silent, workers=sharing)
        found[f"{name}-{distribute}"] = {
            "replicas": sharing.replicas if sharing else 1,
            "losses": [record["train_loss"] for record in read_metrics(run)],
            "accuracies": [record["validation_accuracy"] for record in read_metrics(run)],
            "weights": [float(np.abs(w).sum()) for w in model.get_weights()],
            "seeds": [
                [copy.numpy().tolist() for copy in sharing.copies(v)]
                for v in model.variables if v.name == "seed_generator_state"
            ] if sharing else [],
        }
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mirrored")
    command = [sys.executable, "-c", PROGRAM, str(folder)]
    process = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert process.returncode == 0, process.stderr[-3000:]
    return json.loads(process.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", ["plain", "selection", "skipping", "steps"])
def test_two_devices_follow_one(found, name):
    one, two = found[f"{name}-none"], found[f"{name}-mirrored"]
    assert (one["replicas"], two["replicas"]) == (1, 2)
    assert one["losses"] == pytest.approx(two["losses"], rel=1e-5)
    assert one["accuracies"] == two["accuracies"]
    assert one["weights"] == pytest.approx(two["weights"], rel=1e-4)
    assert one["losses"][-1] < one["losses"][0]


def test_each_device_drops_other_units(found):
    two = found["dropout-mirrored"]
    used = [copies for copies in two["seeds"] if copies[0][1]]  # the GRUs' own are not used
    assert len(used) == 2, two["seeds"]
    for (first, count), (second, same_count) in used:
        assert first != second and count == same_count
    assert two["losses"] != pytest.approx(found["dropout-none"]["losses"], rel=1e-5)
    assert two["losses"][-1] < two["losses"][0]

"""How tests stop a training, let it go on, and compare it with one that was not stopped."""

import numpy as np

from seqclf.storage.run_directory import Run
from seqclf.training.loop import fit


def assert_a_stop_changes_no_bit(config, dataset, folder, stop):
    """Trains twice, the second time with a stop, and compares the weights at the end.

    Args:
        config: a resolved config.
        dataset: its data.
        folder: a folder for the two runs.
        stop: the step of the stop.
    """
    weights = []
    for name, stops in (("whole", [None]), ("cut", [stop, None])):
        run = Run(folder / name)
        run.prepare(config)
        for until in stops:
            model, state, _ = fit(config, dataset, run, until=until)
        weights.append(model.get_weights())
        assert state.step == config.steps
    for a, b in zip(*weights, strict=True):
        np.testing.assert_array_equal(a, b)

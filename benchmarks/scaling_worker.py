"""One process of `benchmarks.scaling`: takes training steps and prints the milliseconds of each.

python -m benchmarks.scaling_worker BATCH UNITS STEPS CORE
"""

import json
import os
import sys
import time

WARMUP = 8  # steps that compile and settle


def main() -> None:
    batch, units, steps, core = map(int, sys.argv[1:])
    if core >= 0:  # before TensorFlow counts the cores
        os.sched_setaffinity(0, {core})
    import numpy as np
    import tensorflow as tf

    from seqclf.config import resolve
    from seqclf.data.dataset import DatasetSpec
    from seqclf.training.distribution.strategy import make_workers, sum_before_clipping
    from seqclf.training.loop import build
    from seqclf.training.optimizers import build_optimizer
    from seqclf.training.step import TrainStep

    config = resolve({"batch_size": batch, "model": {"units": [units, units]}})
    workers = make_workers(config)
    classes = tuple("0123456789")
    spec = DatasetSpec("random", "rows", (28, 28), "float32", classes)
    with workers.scope():
        model = build(config, spec)
        optimizer = build_optimizer(config, 1000)
        optimizer.build(model.trainable_variables)
    if not workers.alone:
        sum_before_clipping(optimizer)
    step = TrainStep(model, optimizer, config, workers)
    rng = np.random.default_rng(0)
    rows = batch // workers.count
    x = tf.constant(rng.random((rows, 28, 28), np.float32))
    y = tf.constant(rng.integers(0, 10, rows), tf.int32)
    times = []
    for _ in range(WARMUP + steps):
        start = time.perf_counter()
        float(step(x, y).loss)
        times.append(1e3 * (time.perf_counter() - start))
    if workers.is_chief:
        print(json.dumps({"ms": times[WARMUP:], "parameters": int(model.count_params())}))
    workers.exchange(None)  # one that left earlier would count as lost


if __name__ == "__main__":
    main()

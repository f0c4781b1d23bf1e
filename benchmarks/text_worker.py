"""Runs one contender of `benchmarks.text`: reads numbers of epochs, writes JSON lines.

python -m benchmarks.text_worker NAME DATA.npz
"""

import json
import os
import sys
import time

import numpy as np


def main() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from benchmarks.text_contenders import CONTENDERS, Task

    answers = os.fdopen(os.dup(1), "w")  # whatever else prints goes to standard error
    os.dup2(2, 1)
    name, path = sys.argv[1:]
    with np.load(path) as arrays:
        numbers = (int(arrays["size"]), int(arrays["units"]), float(arrays["rate"]))
        task = Task(arrays["tokens"], *numbers)
    epoch = CONTENDERS[name][0](task)
    for line in sys.stdin:
        wall, cpu = time.perf_counter(), time.process_time()
        losses = [epoch() for _ in range(int(line))]
        answer = {
            "losses": losses,
            "seconds": time.perf_counter() - wall,
            "cpu_seconds": time.process_time() - cpu,
        }
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()

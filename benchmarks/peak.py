"""Measures the fastest matrix product of this machine, over sizes and libraries."""

import subprocess
import sys
import time

SIZES = (512, 1024, 2048)


def best_gflops() -> float:
    """Returns the highest rate of NumPy, TensorFlow and PyTorch in float32, in GFLOP/s."""
    rates = []
    # Each library runs in a process of its own, as their thread pools disturb each other.
    for library in ("numpy", "tensorflow", "torch"):
        command = [sys.executable, "-m", "benchmarks.peak", library]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        rates.append(float(output.split()[-1]))
    return max(rates)


def _rate(library: str) -> float:
    import numpy as np

    rng = np.random.default_rng(0)
    best = 0.0
    for size in SIZES:
        a, b = (rng.random((size, size), dtype=np.float32) for _ in range(2))
        if library == "numpy":
            product = lambda a=a, b=b: a @ b  # noqa: E731
        elif library == "tensorflow":
            import tensorflow as tf

            a, b = tf.constant(a), tf.constant(b)
            product = lambda a=a, b=b: tf.matmul(a, b).numpy()  # noqa: E731
        else:
            import torch

            a, b = torch.from_numpy(a), torch.from_numpy(b)
            product = lambda a=a, b=b: a @ b  # noqa: E731
        product()
        for _ in range(8):
            start = time.perf_counter()
            product()
            best = max(best, 2 * size**3 / (time.perf_counter() - start) / 1e9)
    return best


if __name__ == "__main__":
    print(_rate(sys.argv[1]))

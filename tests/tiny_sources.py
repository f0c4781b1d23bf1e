"""A text and labels of time steps, and a config, small enough to be trained in a test."""

import numpy as np

SMALL = {
    "model": {"units": [4]},
    "batch_size": 4,
    "steps": 2,
    "validate_every": 1,
    "jit_compile": False,
}


def sources(folder):
    """Returns the group `data` of a config with a text, and of one with labels of time steps."""
    (folder / "t.txt").write_text("the rain in spain stays mainly in the plain. " * 20)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(30, 5, 2)).astype("float32")
    np.savez(folder / "t.npz", x=x, y=(x[..., 0] > 0).astype(int))
    return {
        "text": {"source": f"text:{folder}/t.txt", "window": 5},
        "steps": {"source": f"npz:{folder}/t.npz"},
    }

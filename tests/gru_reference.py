"""GRU forward in float64 NumPy, gate by gate and example by example: slow, and plain to read.

It shares nothing with the package: each gate has its own matrices, each example its own loop.
"""

import numpy as np


def sigmoid(a):
    return 1.0 / (1.0 + np.exp(-a))


def gru(x, h0, weights, *, reset_after=True, mask=None, go_backwards=False):
    """Returns the state after each step, `[B, T, H]`, in the order in which they were computed.

    x `[B, T, D]`, h0 `[B, H]`, weights as `get_weights` gives them, mask bool `[B, T]`.
    """
    kernel, recurrent = (np.asarray(w, np.float64) for w in weights[:2])
    H = recurrent.shape[0]
    W = {g: kernel[:, i * H : (i + 1) * H] for i, g in enumerate("zrh")}
    U = {g: recurrent[:, i * H : (i + 1) * H] for i, g in enumerate("zrh")}
    b = {g: np.zeros(H) for g in "zrh"}
    c = {g: np.zeros(H) for g in "zrh"}
    if len(weights) == 3:
        bias = np.asarray(weights[2], np.float64).reshape(-1, 3 * H)
        for i, g in enumerate("zrh"):
            b[g] = bias[0, i * H : (i + 1) * H]
            if reset_after:
                c[g] = bias[1, i * H : (i + 1) * H]
    out = np.zeros((len(x), x.shape[1], H))
    for n in range(len(x)):
        h = np.asarray(h0[n], np.float64)
        steps = range(x.shape[1])
        for position, t in enumerate(reversed(steps) if go_backwards else steps):
            if mask is None or mask[n, t]:
                a = x[n, t].astype(np.float64)
                z = sigmoid(a @ W["z"] + b["z"] + h @ U["z"] + c["z"])
                r = sigmoid(a @ W["r"] + b["r"] + h @ U["r"] + c["r"])
                if reset_after:
                    candidate = np.tanh(a @ W["h"] + b["h"] + r * (h @ U["h"] + c["h"]))
                else:
                    candidate = np.tanh(a @ W["h"] + b["h"] + (r * h) @ U["h"])
                h = z * h + (1 - z) * candidate
            out[n, position] = h
    return out


def random_weights(rng, D, H, reset_after=True, use_bias=True, scale=0.7):
    """Returns random arrays of every weight, biases included, as `set_weights` takes them."""
    weights = [rng.normal(0, scale, (D, 3 * H)), rng.normal(0, scale, (H, 3 * H))]
    if use_bias:
        weights.append(rng.normal(0, scale, (2, 3 * H) if reset_after else (3 * H,)))
    return weights

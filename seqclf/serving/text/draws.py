"""Draws of the next token, in NumPy; `graph_draws` draws the same ones in a graph.

A draw depends on the probabilities, the options, the seed and the place of the token alone, so a
text does not depend on the batch that it is written in.
"""

import numpy as np

# SplitMix64 (Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators"): numbers
# of 64 bits from a counter, by operations that NumPy, Python and TensorFlow all have.
STEP = 0x9E3779B97F4A7C15
ROUNDS = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))
LAST_SHIFT = 31
UNUSED_BITS = 11  # a float64 holds 53 bits
MASK = 2**64 - 1
# The lowest probability that is reckoned with, the smallest normal float32: of smaller ones some
# processors make zeros.
SMALLEST = float(np.finfo(np.float32).tiny)


def uniform(seed: int, position: int) -> float:
    """Returns a random number from 0 to 1, 1 left out.

    Args:
        seed: the seed of a text, an int64.
        position: the number of the token among those that are written, from 0.
    """
    key = _mixed(seed + STEP)
    return float((_mixed(key + (position + 1) * STEP) >> UNUSED_BITS) * 2.0**-53)


def choose(probabilities: np.ndarray, temperature: float, top_k: int, drawn: float) -> int:
    """Returns the index of the next token; never 0, the unknown token.

    Args:
        probabilities: float32 `[V]`, of each token to be the next one.
        temperature: the logits are divided by it; 0 takes the most probable token.
        top_k: only so many of the most probable tokens can be drawn; 0: all.
        drawn: a random number of `uniform`.
    """
    known = probabilities[1:]
    order = np.argsort(-known, kind="stable")  # of equal ones, the lower index first
    temperature = float(np.float32(temperature))  # as signatures take it
    if temperature == 0:
        return int(order[0]) + 1
    kept = order[: top_k or None]
    scores = np.log(np.maximum(known[kept].astype(np.float64), SMALLEST))
    weights = np.cumsum(np.exp((scores - scores[0]) / temperature))
    chosen = int((weights <= drawn * weights[-1]).sum())
    return int(kept[min(chosen, len(kept) - 1)]) + 1


def _mixed(value: int) -> int:
    value &= MASK
    for shift, factor in ROUNDS:
        value = ((value ^ (value >> shift)) * factor) & MASK
    return value ^ (value >> LAST_SHIFT)

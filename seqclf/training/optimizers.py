"""`build_optimizer`: algorithm, learning-rate schedule, clipping and decay, by a config.

`learning_rates` is the schedule alone, for a figure.
"""

import math
from typing import Any

import keras
import numpy as np

from seqclf.config import Config


@keras.saving.register_keras_serializable(package="seqclf")
class WarmupCosine(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]  # untyped
    """Linear warm-up from 0, then cosine decay (Loshchilov & Hutter 2017, arXiv:1608.03983).

    The learning rate at step s is `p (s + 1) / W` while s < W, and from then on
    `e + (p - e) (1 + cos(π (s - W) / (S - W))) / 2`.

    Args:
        peak: p, the highest learning rate; it is reached at the end of the warm-up.
        total_steps: S, the number of steps of the training.
        warmup_steps: W, the number of steps of the warm-up.
        final: e, the learning rate at step S and beyond.
    """

    def __init__(self, peak: float, total_steps: int, warmup_steps: int = 0, final: float = 0.0):
        self.peak = peak
        self.total_steps = total_steps
        self.warmup_steps = warmup_steps
        self.final = final

    def __call__(self, step: Any) -> Any:
        """Returns the learning rate at a step, a scalar."""
        ops = keras.ops
        step = ops.cast(step, "float32")
        warm = self.peak * (step + 1.0) / max(self.warmup_steps, 1)
        done = (step - self.warmup_steps) / max(self.total_steps - self.warmup_steps, 1)
        cosine = (1.0 + ops.cos(math.pi * ops.clip(done, 0.0, 1.0))) / 2.0
        return ops.where(
            step < self.warmup_steps, warm, self.final + (self.peak - self.final) * cosine
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments, as Keras serialises them."""
        return {
            "peak": self.peak,
            "total_steps": self.total_steps,
            "warmup_steps": self.warmup_steps,
            "final": self.final,
        }


def build_optimizer(config: Config, total_steps: int) -> keras.optimizers.Optimizer:
    """Builds the optimiser that a config describes.

    Args:
        config: a resolved config; `optimizer.*` and `precision` are read.
        total_steps: number of steps of the training, for the schedule.

    Returns:
        A Keras optimiser that clips gradients to the global norm `optimizer.clip_norm` (Pascanu
        et al. 2013, arXiv:1211.5063) and, for float16, scales the loss.
    """
    options = config.optimizer
    arguments: dict[str, Any] = {"learning_rate": _schedule(config, total_steps)}
    if options.clip_norm:
        arguments["global_clipnorm"] = options.clip_norm
    if options.name == "adam":
        optimizer = keras.optimizers.Adam(**arguments)
    elif options.name == "adamw":
        optimizer = keras.optimizers.AdamW(weight_decay=options.weight_decay, **arguments)
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    else:
        optimizer = keras.optimizers.SGD(momentum=options.momentum, **arguments)
    if config.precision == "mixed_float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer


def learning_rates(
    config: Config, total_steps: int, last: int, points: int = 500
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the learning rate at steps from 0 to `last`.

    Args:
        config: a resolved config; `optimizer.*` is read.
        total_steps: number of steps of the training, for the schedule.
        last: the last step, at which the training ended.
        points: the largest number of steps; fewer than there are lie at equal distances.

    Returns:
        The steps, int `[P]`, and the learning rate at each of them, float `[P]`.
    """
    steps = np.unique(np.linspace(0, last, min(last + 1, points)).astype(int))
    schedule = _schedule(config, total_steps)
    if not callable(schedule):
        return steps, np.full(len(steps), float(schedule))
    return steps, keras.ops.convert_to_numpy(schedule(steps))


def _schedule(config: Config, total_steps: int) -> Any:
    """Returns the learning rate, or its schedule: a function of the step."""
    options = config.optimizer
    if options.schedule != "cosine":
        return options.learning_rate
    warmup_steps = min(options.warmup_steps, total_steps // 2)  # a short run still decays
    return WarmupCosine(
        options.learning_rate, total_steps, warmup_steps, options.final_learning_rate
    )

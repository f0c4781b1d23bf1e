"""How the fast path runs: with XLA or without, unrolled or not, on how many shares of the batch.

None of this changes a result by more than rounding. The library chooses; `execution` overrides the
choice. docs/performance.md has the measurements behind the choices.
"""

import contextlib
import contextvars
import dataclasses
import os
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

MIN_SHARE = 4  # examples; handing out a smaller share costs more than it saves
XLA_CHOICES = ("layer", "caller", "off")


@dataclasses.dataclass(frozen=True)
class Execution:
    """The way in which the fast path runs one call.

    Attributes:
        xla: "layer": each layer is compiled by itself, with XLA. "caller": the function that calls
            the layer is compiled. "off": XLA is not used.
        unroll: True lays the time steps out one after another instead of looping over them. This
            is faster without XLA and slow to compile; T must be known.
        shares: number of batch shares that are worked on side by side.
        cudnn: True takes cuDNN's kernel on a GPU.
        native: True takes the native operations on a CPU; `xla` and `unroll` have no meaning then.
        gradient: False leaves the gradient out, for a function that is only ever evaluated.
    """

    xla: str = "off"
    unroll: bool = False
    shares: int = 1
    cudnn: bool = False
    native: bool = False
    gradient: bool = True

    def __post_init__(self) -> None:
        if self.xla not in XLA_CHOICES:
            raise ValueError(
                "`xla` must be 'layer', 'caller', 'off' or None (the library chooses). "
                f"Received: xla={self.xla!r}"
            )
        if self.shares < 1:
            raise ValueError(f"`shares` must be at least 1. Received: shares={self.shares}")

    @property
    def compiled(self) -> bool:
        """Whether XLA compiles the operations of the layer, by itself or with its caller."""
        return self.xla != "off"

    def in_words(self) -> str:
        """Returns the text of `GRU.path`."""
        if self.cudnn:
            return "cudnn"
        if self.native:
            return f"native{self._shares_in_words()}"
        loop = "unrolled" if self.unroll else "while loop"
        xla = {"layer": "XLA", "caller": "XLA around it", "off": "no XLA"}[self.xla]
        return f"bptt: {loop}, {xla}{self._shares_in_words()}"

    def _shares_in_words(self) -> str:
        return "" if self.shares == 1 else f", batch in {self.shares} parts"


# The parts of `Execution` that `execution` has set, by name.
_overrides: contextvars.ContextVar[dict[str, Any]] = contextvars.ContextVar(
    "seqclf_execution",
    default={},  # noqa: B039 (it is never changed in place)
)


@contextlib.contextmanager
def execution(
    *,
    xla: str | None = None,
    unroll: bool | None = None,
    shares: int | None = None,
    cudnn: bool | None = None,
    native: bool | None = None,
    gradient: bool | None = None,
) -> Iterator[None]:
    """Overrides how layers run that are called, or traced into a `tf.function`, inside the context.

    A nested context replaces the outer one as a whole.

    Args:
        xla: see `Execution`; None leaves the choice to the library, here and below.
        unroll: see `Execution`.
        shares: see `Execution`.
        cudnn: False keeps a layer from taking cuDNN's kernel.
        native: True takes the native operations wherever the layer can, False never; None leaves
            the choice to the library, which takes them for none of the calls that `xla` or `unroll`
            are given for.
        gradient: see `Execution`.

    Raises:
        ValueError: a value is not one of those that `Execution` allows.

    Example:
        >>> layer = seqclf.GRU(4)
        >>> with execution(xla="off", unroll=True):  # plain TensorFlow operations only
        ...     y = layer(np.ones([2, 5, 3], "float32"))
    """
    values: dict[str, Any] = {"xla": xla, "unroll": unroll, "shares": shares}
    values |= {"cudnn": cudnn, "native": native, "gradient": gradient}
    given = {name: value for name, value in values.items() if value is not None}
    Execution(**given)  # refuses what makes no sense
    token = _overrides.set(given)
    try:
        yield
    finally:
        _overrides.reset(token)


def choose(
    *,
    steps: int | None,
    batch: int | None,
    training: bool,
    unroll: bool,
    gpu: bool,
    cudnn: bool,
    native: bool = False,
) -> Execution:
    """Returns how to run one call.

    On a CPU the native operations are taken where they can be: in training, and in a call that is
    executed at once. Inference that is traced into a graph does without, because the graph may be
    exported, and no server has them. What follows holds where they are not taken.

    Training on a CPU compiles with XLA, which fuses the elementwise operations of a time step, and
    splits the batch over the cores: matrix products this small leave a second thread idle.
    Inference uses plain TensorFlow operations, because it may be exported and a server need not
    have XLA (TensorFlow Serving's is switched off); code that wants it compiled wraps the call in
    `tf.function(jit_compile=True)`. The loop is a `while` loop, which compiles in a second where
    unrolled time steps take ten. On a GPU the choice is cuDNN's kernel, which XLA cannot compile.

    Args:
        steps: T, None if unknown.
        batch: B, None if unknown.
        training: whether a training step is computed.
        unroll: the layer's argument of this name.
        gpu: whether TensorFlow sees a GPU.
        cudnn: whether the layer may take cuDNN's kernel.
        native: whether the layer can take the native operations.
    """
    asked = _overrides.get()
    if native and asked.get("native", _native_by_default(asked, training, unroll)):
        return Execution(
            native=True,
            shares=asked.get("shares", suggested_shares(batch) if batch else cores()),
            gradient=asked.get("gradient", True),
        )
    xla = asked.get("xla", "layer" if training and not gpu else "off")
    suggested = suggested_shares(batch) if xla == "layer" and batch else 1
    shares = asked.get("shares", suggested)
    if batch is None or batch < shares:
        shares = 1  # the batch cannot be split
    return Execution(
        xla=xla,
        unroll=unroll or (asked.get("unroll", False) and steps is not None),
        shares=shares,
        cudnn=cudnn and xla == "off" and asked.get("cudnn", True),
        gradient=asked.get("gradient", True),
    )


def _native_by_default(asked: dict[str, Any], training: bool, unroll: bool) -> bool:
    return (training or tf.executing_eagerly()) and not unroll and not {"xla", "unroll"} & {*asked}


def suggested_shares(batch: int) -> int:
    """Returns the number of shares into which a batch of this size is split on this machine."""
    return max(1, min(cores(), batch // MIN_SHARE))


def cores() -> int:
    """Returns how many threads compute at a time: one for each core that this process may use.

    `tf.config.threading.set_intra_op_parallelism_threads` can lower it.
    """
    allowed: int = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):  # Linux
        allowed = len(os.sched_getaffinity(0))
    return min(allowed, tf.config.threading.get_intra_op_parallelism_threads() or allowed)

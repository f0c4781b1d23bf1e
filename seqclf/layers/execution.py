"""How the fast path is run: XLA or not, unrolled or not, on how many shares of the batch.

None of it changes a result by more than rounding. The library chooses; `execution` overrides.
docs/performance.md has the measurements behind the choices.
"""

import contextlib
import contextvars
import dataclasses
import os
from collections.abc import Iterator

MIN_SHARE = 4  # examples; smaller shares cost more to hand out than they save


@dataclasses.dataclass(frozen=True)
class Execution:
    """A way to run; None leaves that part to the library.

    Attributes:
        xla: "here" compiles each layer with XLA, "none" doesn't, and "around" says that the
            function in which the layers are called is compiled.
        unroll: lay out the steps one by one instead of looping over them: faster op by op, slow to
            compile, and T must be known.
        shares: into how many parts the batch is cut, to be worked on side by side.
        cudnn: take cuDNN's kernel on a GPU where its conditions hold.
        gradient: False leaves the gradient out, for a function that is only ever evaluated.
    """

    xla: str | None = None
    unroll: bool | None = None
    shares: int | None = None
    cudnn: bool | None = None
    gradient: bool | None = None

    def __post_init__(self) -> None:
        if self.xla not in (None, "here", "around", "none"):
            raise ValueError(
                "`xla` must be 'here', 'around', 'none' or None (the library chooses). "
                f"Received: xla={self.xla!r}"
            )
        if self.shares is not None and self.shares < 1:
            raise ValueError(f"`shares` must be at least 1. Received: shares={self.shares}")


@dataclasses.dataclass(frozen=True)
class Plan:
    """How one call is run: an `Execution` with every part decided."""

    xla: str
    unroll: bool
    shares: int
    cudnn: bool
    gradient: bool = True

    def in_words(self) -> str:
        """Returns what `GRU.path` says."""
        if self.cudnn:
            return "cudnn"
        loop = "unrolled" if self.unroll else "while loop"
        xla = {"here": "XLA", "around": "XLA around it", "none": "no XLA"}[self.xla]
        shares = "" if self.shares == 1 else f", batch in {self.shares} parts"
        return f"bptt: {loop}, {xla}{shares}"


_override: contextvars.ContextVar[Execution] = contextvars.ContextVar(
    "seqclf_execution",
    default=Execution(),  # noqa: B039 (immutable)
)


@contextlib.contextmanager
def execution(
    *,
    xla: str | None = None,
    unroll: bool | None = None,
    shares: int | None = None,
    cudnn: bool | None = None,
    gradient: bool | None = None,
) -> Iterator[None]:
    """Overrides how layers run that are called, or traced into a `tf.function`, inside of it.

    Raises:
        ValueError: a value that `Execution` has not.

    Example:
        >>> with execution(xla="none", unroll=True):  # plain TensorFlow operations only
        ...     y = layer(x)
    """
    token = _override.set(Execution(xla, unroll, shares, cudnn, gradient))
    try:
        yield
    finally:
        _override.reset(token)


def choose(
    *, steps: int | None, batch: int | None, training: bool, unroll: bool, gpu: bool, cudnn: bool
) -> Plan:
    """Returns how to run one call.

    Training on a CPU compiles with XLA, which fuses the elementwise work of a step, and shares the
    batch over the cores: products this small leave a second thread idle. Inference stays plain
    TensorFlow, because it may be exported, and a server need not have XLA (TensorFlow Serving's is
    switched off); whoever wants it compiled wraps it in `tf.function(jit_compile=True)`. The loop
    is a `while` loop, which compiles in a second where unrolled steps take ten. On a GPU it is
    cuDNN's kernel, which XLA cannot compile.

    Args:
        steps: T, None if unknown.
        batch: B, None if unknown.
        training: whether a training step is computed.
        unroll: the layer's argument.
        gpu: whether TensorFlow sees a GPU.
        cudnn: whether the layer may take cuDNN's kernel.
    """
    asked = _override.get()
    xla = asked.xla or ("here" if training and not gpu else "none")
    shares = asked.shares
    if shares is None:
        shares = suggested_shares(batch) if xla == "here" and batch else 1
    if batch is None or batch < shares:
        shares = 1  # cannot be cut
    return Plan(
        xla=xla,
        unroll=unroll or (bool(asked.unroll) and steps is not None),
        shares=shares,
        cudnn=cudnn and xla == "none" and asked.cudnn is not False,
        gradient=asked.gradient is not False,
    )


def suggested_shares(batch: int) -> int:
    """Returns into how many parts to cut a batch on this machine."""
    return max(1, min(_cores(), batch // MIN_SHARE))


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # Linux: the cores that this process may use
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

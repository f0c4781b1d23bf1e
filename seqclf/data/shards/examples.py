"""What a converter is given: examples one after the other, never all of them."""

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np

from seqclf.data.dataset import Dataset, ExampleStore, Split


@dataclasses.dataclass(frozen=True)
class Example:
    """One example.

    Attributes:
        x: uint8 or float32 `[length, D]`, `[H, W]` or `[H, W, C]`, without padding.
        y: its class.
        name: the file, or its place in the source, for messages.
    """

    x: np.ndarray
    y: int
    name: str


@dataclasses.dataclass(frozen=True)
class Part:
    """One split of a source.

    Attributes:
        count: its examples.
        examples: gives them in order.
    """

    count: int
    examples: Callable[[], Iterator[Example]]


@dataclasses.dataclass(frozen=True)
class Source:
    """What is to be written.

    Attributes:
        origin: one line for people.
        class_names: by index.
        parts: of `train`, `validation` and `test`.
        variable_length: whether lengths may vary; None: whether they do is seen on the way.
        full_scale: the largest raw value of uint8 examples.
    """

    origin: str
    class_names: tuple[str, ...]
    parts: dict[str, Part]
    variable_length: bool | None = None
    full_scale: float = 255.0


def dataset_source(dataset: Dataset, seed: int) -> Source:
    """Returns a loaded data set as a source: its splits as they are, training examples shuffled.

    A file's order may be that of its classes, and a buffer cannot mix what lies far apart.

    Args:
        dataset: in memory.
        seed: of the order in which training examples are written.
    """
    parts = {}
    for name, split in dataset.splits():
        order = np.arange(len(split))
        if name == "train":
            np.random.default_rng(seed).shuffle(order)
        parts[name] = Part(len(split), _reader(name, split, order))
    spec = dataset.spec
    return Source(dataset.origin, spec.class_names, parts, spec.variable_length, spec.full_scale)


def _reader(name: str, split: ExampleStore, order: np.ndarray) -> Callable[[], Iterator[Example]]:
    assert isinstance(split, Split)  # what can be converted is in memory

    def read() -> Iterator[Example]:
        for i in order:
            x = split.x[i] if split.lengths is None else split.x[i, : split.lengths[i]]
            yield Example(x, int(split.y[i]), f"example {i} of the {name} split")

    return read

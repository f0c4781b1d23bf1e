"""The examples that a converter reads: one after the other, never all at once."""

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np

from seqclf.data.dataset import Dataset, ExampleStore, Split
from seqclf.data.table_layout import TableLayout
from seqclf.errors import DataError


@dataclasses.dataclass(frozen=True)
class Example:
    """One example.

    Attributes:
        x: uint8 or float32 `[length, D]`, `[H, W]` or `[H, W, C]`, without padding.
        y: the class index; or int32 `[length]`, that of each time step, `NO_LABEL` where it has
            none.
        name: the file, or the position in the source, for messages.
    """

    x: np.ndarray
    y: int | np.ndarray
    name: str


@dataclasses.dataclass(frozen=True)
class Part:
    """One split of a source.

    Attributes:
        count: the number of examples.
        examples: a function that returns an iterator over the examples, in order.
    """

    count: int
    examples: Callable[[], Iterator[Example]]


@dataclasses.dataclass(frozen=True)
class Source:
    """All examples that a converter writes.

    Attributes:
        origin: one line that tells people where the examples come from.
        class_names: the name of each class, by index.
        parts: the splits `train`, `validation` and `test`.
        variable_length: whether lengths may vary; None: the converter finds out.
        full_scale: the largest raw value of uint8 examples.
        notes: lines that tell people what is left out or missing.
        feature_names: the name of each feature; (): they have none.
        table: how the table holds the sequences, for sources that are tables.
        per_step: whether each time step has a label, and not the example as a whole.
    """

    origin: str
    class_names: tuple[str, ...]
    parts: dict[str, Part]
    variable_length: bool | None = None
    full_scale: float = 255.0
    notes: tuple[str, ...] = ()
    feature_names: tuple[str, ...] = ()
    table: TableLayout | None = None
    per_step: bool = False


def dataset_source(dataset: Dataset, seed: int) -> Source:
    """Returns a loaded dataset as a source: the same splits, with the training examples shuffled.

    The examples of a file may be sorted by class, and the shuffle buffer of a training cannot mix
    examples that lie far apart.

    Args:
        dataset: a dataset in memory.
        seed: the seed of the order in which the training examples are written.
    """
    parts = {}
    for name, split in dataset.splits():
        order = written_order(name, len(split), seed)
        parts[name] = Part(len(split), _iterator(name, split, order))
    spec = dataset.spec
    return Source(
        dataset.origin,
        spec.class_names,
        parts,
        spec.variable_length,
        spec.full_scale,
        dataset.notes,
        spec.feature_names,
        spec.table,
        spec.per_step,
    )


def written_order(split: str, count: int, seed: int) -> np.ndarray:
    """Returns the order in which the examples of a split are written: random for training.

    Args:
        split: the name of the split.
        count: the number of its examples.
        seed: the seed of the order.
    """
    order = np.arange(count)
    if split == "train":
        np.random.default_rng(seed).shuffle(order)
    return order


def _iterator(name: str, split: ExampleStore, order: np.ndarray) -> Callable[[], Iterator[Example]]:
    assert isinstance(split, Split)  # every source that can be converted is in memory
    if split.weights is not None:
        raise DataError("Shards hold no weights of examples: leave the array `weights` out.")

    def examples() -> Iterator[Example]:
        for i in order:
            x = split.x[i] if split.lengths is None else split.x[i, : split.lengths[i]]
            y = int(split.y[i]) if split.y.ndim == 1 else split.y[i, : len(x)]
            yield Example(x, y, f"example {i} of the {name} split")

    return examples

"""A loaded dataset: three splits of raw examples and the spec that describes them."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from seqclf.config import DataConfig
from seqclf.data.spec import READINGS, DatasetSpec
from seqclf.data.split import ExampleStore, Split

__all__ = ["READINGS", "Dataset", "DatasetSpec", "ExampleStore", "Split"]


@dataclass(frozen=True)
class Dataset:
    """A loaded dataset.

    Attributes:
        spec: the description of the examples.
        train: the examples to learn from.
        validation: the examples to choose by.
        test: the examples to score once, at the end. No example is in two of the three splits.
        origin: one line that tells people where the examples came from.
        notes: lines that tell people what is unusual, such as a class without test examples.
        options: the options that it was loaded with, the group `data` of a config; None: they are
            not known.
        division: how the examples came into their splits, in words; "": it is not known.
    """

    spec: DatasetSpec
    train: ExampleStore
    validation: ExampleStore
    test: ExampleStore
    origin: str
    notes: tuple[str, ...] = ()
    options: DataConfig | None = None
    division: str = ""

    @classmethod
    def from_arrays(
        cls,
        sequences: Any,
        labels: Any,
        *,
        lengths: Any = None,
        class_names: Sequence[str] | None = None,
        feature_names: Sequence[str] = (),
        ids: Any = None,
        groups: Any = None,
        splits: Any = None,
        weights: Any = None,
        **options: Any,
    ) -> "Dataset":
        """Makes a dataset of arrays in memory.

        Args:
            sequences: a list of arrays `[T_i, D]` (or `[T_i]`), or one array `[N, T, D]`, `[N, T]`
                (one feature), or images `[N, H, W, C]` of uint8. A missing value is NaN.
            labels: `[N]` integers or strings, the class of each sequence; or the class of each time
                step: a list of arrays `[T_i]`, or one array `[N, T]`. A time step without a label
                has -1 there, or "" among strings; what stands behind the end of a sequence is not
                looked at.
            lengths: `[N]` integers, the number of valid time steps of each sequence of an array;
                None: all are valid.
            class_names: the name of each class, in order; None: the labels that occur, sorted.
            feature_names: the name of each feature.
            ids: `[N]`, the name of each sequence.
            groups: `[N]`, the group of each sequence, for `split_by="group"`.
            splits: `[N]` strings: `train`, `validation` or `test` for each sequence; None: random.
            weights: `[N]` numbers of 0 or more, how much each sequence counts in the loss of a
                training; None: all alike.
            **options: `normalize`, `missing`, `window`, `stride`, `window_label`, `split_by`,
                `validation`, `test`, `split_seed` as for `load_dataset`.

        Raises:
            DataError: the arrays do not fit together or cannot be trained on.
            ConfigError: an option is unknown or not allowed.

        Example:
            >>> import numpy as np
            >>> rng = np.random.default_rng(0)
            >>> sequences = [rng.normal(size=(rng.integers(3, 9), 2)) for _ in range(40)]
            >>> dataset = Dataset.from_arrays(sequences, ["calm", "busy"] * 20)
            >>> dataset.spec.class_names, dataset.spec.features, len(dataset.train)
            (('busy', 'calm'), 2, 28)
        """
        from seqclf.data.arrays import from_arrays  # it imports this module

        return from_arrays(
            sequences,
            labels,
            lengths,
            class_names,
            feature_names,
            {"ids": ids, "groups": groups, "splits": splits, "weights": weights},
            options,
        )

    def __repr__(self) -> str:
        spec = self.spec
        upto = "up to " if spec.variable_length else ""
        counts = ", ".join(f"{name} {len(split):,}" for name, split in self.splits())
        return (
            f"<Dataset {self.origin}: {upto}{spec.time_steps} time steps of {spec.features} "
            f"features, {spec.num_classes} classes; {counts}>"
        )

    def split(self, name: str) -> ExampleStore:
        """Returns the split called `train`, `validation` or `test`."""
        return dict(self.splits())[name]

    def splits(self) -> Iterator[tuple[str, ExampleStore]]:
        yield from (("train", self.train), ("validation", self.validation), ("test", self.test))

    def fingerprint(self) -> str:
        """Returns the SHA-256 of every example, label and length, in order, split by split.

        For shards it covers their names, sizes and checksums instead, so that nobody waits until
        20 GB are read.
        """
        digest = hashlib.sha256(self.spec.to_json().encode())
        for name, split in self.splits():
            split.update(digest, name)
        return digest.hexdigest()

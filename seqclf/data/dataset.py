"""A loaded dataset: three splits of raw examples and the spec that describes them."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from seqclf.data.spec import READINGS, DatasetSpec
from seqclf.data.split import ExampleStore, Split

__all__ = ["READINGS", "Dataset", "DatasetSpec", "ExampleStore", "Split"]


@dataclass(frozen=True)
class Dataset:
    """A loaded dataset.

    Attributes:
        spec: the description of the examples.
        train, validation, test: disjoint splits. Training uses only the first two.
        origin: one line that tells people where the examples came from.
        notes: lines that tell people what is unusual, such as a class without test examples.
    """

    spec: DatasetSpec
    train: ExampleStore
    validation: ExampleStore
    test: ExampleStore
    origin: str
    notes: tuple[str, ...] = ()

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

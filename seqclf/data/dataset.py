"""A loaded dataset: three splits of raw examples and the spec that describes them."""

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from seqclf.data.split import ExampleStore, Split

__all__ = ["READINGS", "Dataset", "DatasetSpec", "ExampleStore", "Split"]
READINGS = ("rows", "columns", "pixels")


@dataclass(frozen=True)
class DatasetSpec:
    """What a model and an export must know about the data, without the data.

    Attributes:
        source: where the examples come from, as `data.source` names it.
        reading: how a raw example becomes a sequence: rows, columns or pixels.
        raw_shape: shape of one raw example, such as (28, 28) or (T, D).
        raw_dtype: "uint8" or "float32".
        class_names: name of each class, by index.
        variable_length: whether examples come with their own lengths.
        shift, scale: the normalisation `(x - shift) * scale`; one number, or one for each feature.
        full_scale: the largest raw value of uint8 examples: an image's white.
        background: the mean raw value of the images' borders, as a fraction of full scale. With it
            a user who sends an image of the opposite polarity can be warned.
    """

    source: str
    reading: str
    raw_shape: tuple[int, ...]
    raw_dtype: str
    class_names: tuple[str, ...]
    variable_length: bool = False
    shift: tuple[float, ...] = (0.0,)
    scale: tuple[float, ...] = (1.0,)
    full_scale: float = 255.0
    background: float = 0.0

    @property
    def time_steps(self) -> int:
        """T, the number of time steps of a sequence (of the longest one where lengths vary)."""
        height, width = self.raw_shape[:2]
        return {"rows": height, "columns": width, "pixels": height * width}[self.reading]

    @property
    def features(self) -> int:
        """D, the number of features of one time step."""
        height, width, *rest = self.raw_shape
        channels = rest[0] if rest else 1
        return {"rows": width, "columns": height, "pixels": 1}[self.reading] * channels

    @property
    def is_image(self) -> bool:
        """Whether the examples are images: uint8, all of one shape."""
        return self.raw_dtype == "uint8" and not self.variable_length

    @property
    def fits_image_file(self) -> bool:
        """Whether the examples are images that a PNG or JPEG file can hold: grey or RGB."""
        channels = self.raw_shape[2] if len(self.raw_shape) == 3 else 1
        return self.is_image and channels in (1, 3)

    @property
    def num_classes(self) -> int:
        return len(self.class_names)

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "DatasetSpec":
        fields = json.loads(text).items()
        arguments: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in fields}
        return cls(**arguments)


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

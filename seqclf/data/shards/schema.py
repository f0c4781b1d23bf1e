"""`schema.json`: the description of a folder of shards, written after the last shard."""

import dataclasses
import json
import math
from typing import Any

import numpy as np
import tensorflow as tf

from seqclf.data.checks import check_class_names
from seqclf.data.normalization import Moments
from seqclf.data.shards.records import Layout
from seqclf.data.split_names import SPLITS
from seqclf.data.table_layout import TableLayout
from seqclf.errors import DataError

NAME = "schema.json"
FORMAT, VERSION = "seqclf shards", 1
# The versions of shards with missing values, and with labels of time steps, which earlier programs
# must refuse.
WITH_MISSING, PER_STEP = 2, 3


@dataclasses.dataclass(frozen=True)
class Shard:
    """One file of records.

    Attributes:
        file: the name of the file, without its folder.
        examples: the number of examples in it.
        bytes: the size of the file.
        crc32: the CRC-32 of the bytes of its records, one after the other. TensorFlow checks the
            checksum of each record whenever it reads, which finds damage; this one also finds a
            file that was replaced by another.
    """

    file: str
    examples: int
    bytes: int
    crc32: int


@dataclasses.dataclass(frozen=True)
class Schema:
    """The description of a set of shards that training needs.

    Attributes:
        origin: one line that tells people where the examples came from.
        dtype: "uint8" or "float32".
        shape: the shape of an example; where lengths vary, `(T, D)` with the longest T.
        variable_length: whether lengths vary.
        class_names: the name of each class, by index.
        full_scale, background: see `DatasetSpec`.
        lanes: the number of streams that the training shards are divided into; see `order`.
        shards: the shards of each split, in order.
        moments: the moments of the training split for each reading (`rows`; also `columns` and
            `pixels` where all examples have one shape). Every normalisation follows from them.
        input_range: the entries `low` and `high`, the lowest and the highest value of the training
            split at each index of the last axis of an example; None for images, whose values go
            from 0 to `full_scale`, and for shards of earlier versions, which do not record it.
        missing: for each split with missing values how many each feature lacks; read by rows.
        feature_names: the name of each feature; (): they have none.
        table: how the table held the sequences; None: they come from no table.
        per_step: whether each time step has a label, and not the example as a whole.
    """

    origin: str
    dtype: str
    shape: tuple[int, ...]
    variable_length: bool
    class_names: tuple[str, ...]
    full_scale: float
    background: float
    lanes: int
    shards: dict[str, tuple[Shard, ...]]
    moments: dict[str, Moments]
    input_range: dict[str, tuple[float, ...]] | None = None
    missing: dict[str, tuple[int, ...]] = dataclasses.field(default_factory=dict)
    feature_names: tuple[str, ...] = ()
    table: TableLayout | None = None
    per_step: bool = False

    @property
    def layout(self) -> Layout:
        classes = len(self.class_names)
        return Layout(self.shape, self.dtype, self.variable_length, classes, self.per_step)

    def to_json(self) -> str:
        version = PER_STEP if self.per_step else WITH_MISSING if self.missing else VERSION
        content = {"format": FORMAT, "version": version, **dataclasses.asdict(self)}
        content["moments"] = {
            reading: {"count": _count(m), "total": m.total.tolist(), "squares": m.squares.tolist()}
            for reading, m in self.moments.items()
        }
        # Earlier versions refuse entries that they do not know.
        for name in ("input_range", "missing", "feature_names", "table", "per_step"):
            if not content[name]:
                del content[name]
        return json.dumps(content, indent=1) + "\n"


def _count(moments: Moments) -> int | list[int]:
    """Returns the number of observed values: one number where all features have equally many."""
    counts: list[int] = moments.count.tolist()
    return counts if len(set(counts)) > 1 else counts[0]


def read_schema(folder: str) -> Schema:
    """Reads the schema of a folder, local or in a cloud.

    Raises:
        DataError: the schema is missing, damaged, or written by another program or in another
            version of the format.
    """
    path = f"{folder}/{NAME}"
    if not tf.io.gfile.exists(path):
        raise DataError(
            f"{path}: no such file. Shards need their schema beside them: write them with "
            "python -m seqclf.shard, and copy the folder as a whole."
        )
    try:
        with tf.io.gfile.GFile(path) as file:
            content = json.loads(file.read())
    except (ValueError, tf.errors.OpError) as error:
        raise DataError(f"{path}: damaged, it is not valid JSON ({error}). {REMEDY}") from error
    if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
        raise DataError(
            f'{path}: not a schema of seqclf shards, it lacks "format": "{FORMAT}". '
            "Convert the data with python -m seqclf.shard."
        )
    if (version := content.pop("version", None)) not in (VERSION, WITH_MISSING, PER_STEP):
        raise DataError(
            f"{path}: must have version {VERSION}, {WITH_MISSING} or {PER_STEP} of the format. "
            f"Received: version {version!r}. "
            "Write the shards again with python -m seqclf.shard of this version of seqclf."
        )
    try:
        schema = _from_json(content)
        _check(schema)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            f"{path}: damaged, its entries are not those that were written "
            f"({type(error).__name__}: {error}). {REMEDY}"
        ) from error
    return schema


REMEDY = "Copy it again, or write the shards again with python -m seqclf.shard."


def _from_json(content: dict[str, Any]) -> Schema:
    shards = {
        split: tuple(Shard(**entry) for entry in entries)
        for split, entries in content.pop("shards").items()
    }
    moments = {reading: _moments(entry) for reading, entry in content.pop("moments").items()}
    missing = {split: tuple(counts) for split, counts in content.pop("missing", {}).items()}
    shape, names = content.pop("shape"), content.pop("class_names")
    if (limits := content.pop("input_range", None)) is not None:
        limits = {key: tuple(map(float, limits[key])) for key in ("low", "high")}
    features, table = content.pop("feature_names", []), content.pop("table", None)
    return Schema(
        **content,
        feature_names=tuple(map(_text, features)),
        table=None if table is None else TableLayout.from_dict(table),
        shape=tuple(shape),
        class_names=tuple(names),
        shards=shards,
        moments=moments,
        input_range=limits,
        missing=missing,
    )


def _moments(entry: dict[str, Any]) -> Moments:
    total = np.array(entry["total"])
    return Moments(np.broadcast_to(entry["count"], total.shape), total, np.array(entry["squares"]))


def _check(schema: Schema) -> None:
    """Raises ValueError or TypeError for values that no converter writes."""
    check_class_names(schema.class_names, "`class_names`")
    if tuple(schema.shards) != SPLITS or not all(schema.shards.values()):
        raise ValueError(f"`shards` must list the shards of {', '.join(SPLITS)}")
    for shard in (shard for of_split in schema.shards.values() for shard in of_split):
        if not all(isinstance(n, int) and n >= 0 for n in (shard.examples, shard.bytes)):
            raise ValueError(f"`shards`: {shard}")
    if schema.lanes < 1 or len(schema.shards["train"]) % schema.lanes:
        raise ValueError(
            f"`lanes` must divide the {len(schema.shards['train'])} training shards: {schema.lanes}"
        )
    if schema.dtype not in ("uint8", "float32"):
        raise ValueError(f"`dtype`: {schema.dtype!r}")
    if len(schema.shape) not in (2, 3) or not all(n > 0 for n in schema.shape):
        raise ValueError(f"`shape`: {schema.shape}")
    if not isinstance(schema.per_step, bool) or (schema.per_step and len(schema.shape) != 2):
        raise ValueError(f"`per_step`: {schema.per_step!r} with the shape {schema.shape}")
    if "rows" not in schema.moments:
        raise ValueError("`moments` lacks the entry for rows")
    if schema.input_range is not None:
        low, high = schema.input_range["low"], schema.input_range["high"]
        ordered = all(-math.inf < a <= b < math.inf for a, b in zip(low, high, strict=True))
        if len(low) != schema.shape[-1] or not ordered:
            raise ValueError(f"`input_range`: {schema.input_range!r:.80}")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"`feature_names`: {value!r:.80}")
    return value

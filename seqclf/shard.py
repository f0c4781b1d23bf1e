"""Converts data into shards: TFRecord files for training on data that does not fit in memory.

    python -m seqclf.shard --source=folder:IMAGES --out=shards/images
    python -m seqclf.shard --source=csv:readings.csv --id=run --label=state --out=shards/readings
    python -m seqclf.train --config.data.source='tfrecord:shards/images/*.tfrecord'

IMAGES holds one folder of image files (or .npy or CSV files) for each class, or such folders in
train/, validation/ (or val/, valid/, dev/) and test/. It is read file by file. Tables are read in
level memory if the rows of each sequence are together. Every other source of `data.source` is read
as a whole first.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from absl import flags

from seqclf.config import DataConfig
from seqclf.console import app
from seqclf.console.next_commands import command_line, next_block
from seqclf.errors import ConfigError

SOURCE = flags.DEFINE_string(
    "source",
    None,
    "Examples to convert: folder:DIR, csv:FILE, parquet:FILE, or another source of data.source.",
)
# The keys of the group data that are flags of the same name here.
KEYS = (
    *("form", "id", "time", "features", "label", "label_per_step", "group", "split"),
    *("separator", "decimal", "split_by", "window", "stride", "window_label"),
)
OUT = flags.DEFINE_string("out", None, "New folder for the shards, local or gs://….")
SHARDS = flags.DEFINE_integer("shards", 32, "Number of files of the training split.", lower_bound=1)
LANES = flags.DEFINE_integer(
    "lanes",
    0,
    "Number of streams that training divides the files into, which is the largest number of "
    "workers that can share them; 0 takes the largest number up to 8 that divides --shards.",
    lower_bound=0,
)
VALIDATION = flags.DEFINE_float(
    "validation",
    0.1,
    "Fraction of the examples to validate on, if the source has no such split.",
    0.0,
    0.5,
)
TEST = flags.DEFINE_float(
    "test", 0.2, "Fraction of the examples to test on, if the source has no such split.", 0.0, 0.5
)
SEED = flags.DEFINE_integer(
    "seed", 0, "Seed of the splits and of the order in which examples are written.", lower_bound=0
)
IMAGE_SIZE = flags.DEFINE_list("image_size", [], "HEIGHT,WIDTH that images are resized to.")
CHANNELS = flags.DEFINE_enum(
    "channels",
    "",
    ["", "1", "3"],
    "Channels of a folder's images: 1 (grey) or 3 (RGB). Without the flag the first image decides.",
)


def _define_keys() -> None:
    kinds = {str: flags.DEFINE_string, int: flags.DEFINE_integer, bool: flags.DEFINE_bool}
    settings = dict(DataConfig.settings())
    for key in KEYS:
        known = settings[key]
        if known.choices:
            flags.DEFINE_enum(key, known.default, known.choices, known.doc)
        else:
            kinds[known.kind](key, known.default, known.doc)


_define_keys()
MISSING = flags.DEFINE_enum(
    "missing",
    "error",
    ["error", "keep"],
    "Missing values (NaN): refuse them, or keep them in the shards; then data.missing of the "
    "training says what is done with them.",
)


def check(argv: Sequence[str]) -> None:
    del argv
    size = IMAGE_SIZE.value
    if len(size) not in (0, 2) or not all(side.isdecimal() and int(side) for side in size):
        raise ConfigError(f"--image_size must be HEIGHT,WIDTH. Received: {','.join(size)!r}")
    if SOURCE.value.startswith("text:"):
        raise ConfigError(
            "--source must be sequences or images: a text is not written as shards, but trained on "
            f"by --config.data.source={SOURCE.value}. Received: {SOURCE.value!r}"
        )
    DataConfig(source=SOURCE.value, **options())  # raises ConfigError for flags that do not fit
    if Path(OUT.value).expanduser().exists():
        raise ConfigError(f"--out must name a new folder. Received: {OUT.value!r}, which exists")


def options() -> dict[str, Any]:
    """Returns the keys of the group data that the flags give."""
    return {key: flags.FLAGS[key].value for key in KEYS if flags.FLAGS[key].present}


def main(argv: Sequence[str]) -> None:
    del argv
    import os

    from seqclf.data.shards.convert import open_source
    from seqclf.data.shards.folder import ImageOptions
    from seqclf.data.shards.progress import ShardProgress
    from seqclf.data.shards.writing import write_shards

    out = os.path.expanduser(OUT.value)  # a Path would spoil gs://
    source = open_source(
        SOURCE.value,
        validation=VALIDATION.value,
        test=TEST.value,
        seed=SEED.value,
        images=ImageOptions(tuple(map(int, IMAGE_SIZE.value)), int(CHANNELS.value or 0)),
        keep_missing=MISSING.value == "keep",
        options=options(),
        folder=_folder_of(out),
    )
    for note in source.notes:
        print(note, flush=True)
    schema = write_shards(
        source,
        out,
        shards=SHARDS.value,
        lanes=LANES.value,
        keep_missing=MISSING.value == "keep",
        report=ShardProgress(),
    )
    print(summary(out.rstrip("/"), schema))


def _folder_of(out: str) -> Path | None:
    """Returns the folder on this machine in which the shards will lie, as far as it exists."""
    if "://" in out:
        return None
    return next(folder for folder in Path(out).absolute().parents if folder.is_dir())


def summary(out: str, schema: Any) -> str:
    """Returns the report: what was written, where it is, and the next command."""
    counts = {
        name: sum(shard.examples for shard in shards) for name, shards in schema.shards.items()
    }
    files = sum(map(len, schema.shards.values()))
    size = sum(shard.bytes for shards in schema.shards.values() for shard in shards)
    upto = "up to " if schema.variable_length else ""
    return "\n".join(
        [
            "",
            f"Examples  {', '.join(f'{name} {count:,}' for name, count in counts.items())}; "
            f"{schema.dtype} {upto}{list(schema.shape)}, {len(schema.class_names)} classes",
            f"Shards    {out}: {files} files, {size / 1e6:,.1f} MB, {schema.lanes} lanes",
            *_missing_in_words(schema),
            f"Schema    {out}/schema.json",
            "",
            *next_block(command_line("seqclf.train", _next_flags(out, schema))),
        ]
    )


def _missing_in_words(schema: Any) -> list[str]:
    if not schema.missing:
        return []
    counts = ", ".join(f"{split} {sum(n):,}" for split, n in schema.missing.items())
    return [f"Missing   {counts} values; data.missing of the training says what becomes of them"]


def _next_flags(out: str, schema: Any) -> dict[str, str]:
    flag = {"config.data.source": f"tfrecord:{out}/*.tfrecord"}
    return flag | ({"config.data.missing": "interpolate"} if schema.missing else {})


if __name__ == "__main__":
    app.run(main, check=check, required=["source", "out"])

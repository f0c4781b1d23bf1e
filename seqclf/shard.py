"""Converts data into shards: TFRecord files from which training reads what does not fit in memory.

    python -m seqclf.shard --source=folder:PICTURES --out=shards/pictures
    python -m seqclf.train --config.data.source='tfrecord:shards/pictures/*.tfrecord'

PICTURES holds one folder for each class, of .png, .jpg or .npy files, or such folders in train/,
validation/ and test/. It is read file by file; other sources that training takes are loaded first.
"""

from collections.abc import Sequence
from typing import Any

from absl import flags

from seqclf.console import app
from seqclf.errors import ConfigError

SOURCE = flags.DEFINE_string(
    "source", None, "folder:DIR, npz:FILE, idx:DIR, or a name as in data.source."
)
OUT = flags.DEFINE_string("out", None, "New folder for the shards; may be gs://….")
SHARDS = flags.DEFINE_integer("shards", 32, "Files of the training split.", lower_bound=1)
LANES = flags.DEFINE_integer(
    "lanes",
    0,
    "Streams into which training divides them, and so the most workers that can share them; "
    "0: up to 8.",
    lower_bound=0,
)
VALIDATION = flags.DEFINE_float(
    "validation", 0.1, "Share to validate on, if there is no such split.", 0.0, 0.5
)
TEST = flags.DEFINE_float("test", 0.2, "Share to test on, if there is no such split.", 0.0, 0.5)
SEED = flags.DEFINE_integer("seed", 0, "Of the splits and of the written order.", lower_bound=0)
IMAGE_SIZE = flags.DEFINE_list("image_size", [], "HEIGHT,WIDTH to resize pictures to.")
CHANNELS = flags.DEFINE_enum(
    "channels", "", ["", "1", "3"], "Of a folder's pictures: 1 (grey), 3 (RGB); as the first is."
)


def check(argv: Sequence[str]) -> None:
    del argv
    from pathlib import Path

    size = IMAGE_SIZE.value
    if len(size) not in (0, 2) or not all(side.isdecimal() and int(side) for side in size):
        raise ConfigError(f"--image_size must be HEIGHT,WIDTH. Received: {','.join(size)!r}")
    if Path(OUT.value).expanduser().exists():
        raise ConfigError(f"--out must name a new folder. Received: {OUT.value!r}, which exists")


def main(argv: Sequence[str]) -> None:
    del argv
    import os

    from seqclf.data.shards.convert import open_source
    from seqclf.data.shards.folder import ImageOptions
    from seqclf.data.shards.progress import ShardProgress
    from seqclf.data.shards.writing import write_shards

    source = open_source(
        SOURCE.value,
        validation=VALIDATION.value,
        test=TEST.value,
        seed=SEED.value,
        pictures=ImageOptions(tuple(map(int, IMAGE_SIZE.value)), int(CHANNELS.value or 0)),
    )
    out = os.path.expanduser(OUT.value)  # a Path would spoil gs://
    schema = write_shards(
        source, out, shards=SHARDS.value, lanes=LANES.value, report=ShardProgress()
    )
    print(summary(out.rstrip("/"), schema))


def summary(out: str, schema: Any) -> str:
    """Returns what was written, where it is, and what to type next."""
    counts = {name: sum(s.examples for s in of) for name, of in schema.shards.items()}
    files = sum(map(len, schema.shards.values()))
    size = sum(shard.bytes for of_split in schema.shards.values() for shard in of_split)
    upto = "up to " if schema.variable_length else ""
    pattern = app.quoted(f"tfrecord:{out}/*.tfrecord")
    return "\n".join(
        [
            "",
            f"Examples  {', '.join(f'{name} {count:,}' for name, count in counts.items())}; "
            f"{schema.dtype} {upto}{list(schema.shape)}, {len(schema.class_names)} classes",
            f"Shards    {out}: {files} files, {size / 1e6:,.1f} MB, {schema.lanes} lanes",
            f"Schema    {out}/schema.json",
            "",
            "Next:",
            f"  {app.python_command()} -m seqclf.train --config.data.source={pattern}",
        ]
    )


if __name__ == "__main__":
    app.run(main, check=check, required=["source", "out"])

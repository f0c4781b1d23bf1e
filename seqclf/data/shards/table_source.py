"""A CSV or Parquet table as the source of a converter: read in level memory.

The table is read twice: for the order of its rows, and for its values, which go to a temporary file
beside the shards. From there the shards are written in random order, the same as that of a table
that is loaded into memory.
"""

import dataclasses
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from seqclf.config import DataConfig
from seqclf.console.progress import CountProgress
from seqclf.data.checks import missing_classes
from seqclf.data.labels import with_class_indices
from seqclf.data.sequences import RawData, Sequences
from seqclf.data.shards.examples import Example, Part, Source, written_order
from seqclf.data.shards.values_on_disk import ValuesOnDisk
from seqclf.data.splitting import all_splits
from seqclf.data.step_labels import labels_that_count, without_label_note
from seqclf.data.tables.row_labels import StepLabels, doubtful_name_notes
from seqclf.data.tables.stream import TableStream, open_table, table_layout
from seqclf.errors import DataError


def table_source(path: str, config: DataConfig, folder: Path | None = None) -> Source:
    """Returns the sequences of a table as a source, with the splits that training on it has.

    Args:
        path: a CSV or Parquet file.
        config: the columns, the fractions and the seed of the splits, and the windows.
        folder: where the temporary file with the values lies; None: the folder for such files.

    Raises:
        DataError: the table cannot be read, or cannot be divided.
        ConfigError: options contradict each other.
    """
    layout, guessed = table_layout(path, config)
    stream = open_table(path, layout, labelled=True, per_step=config.label_per_step)
    values = ValuesOnDisk(folder)
    part, ids = _read(stream, values)
    if not len(values):
        raise DataError(f"{path}: has no sequence to write.")
    class_names = part.step_label_names if config.label_per_step else None
    raw = RawData({"train": part}, path, path, class_names, table=layout)
    raw, names = with_class_indices(raw)
    splits, split_notes, _ = all_splits(raw, config)
    labels = {name: np.asarray(split.labels) for name, split in splits.items()}
    counted = {name: labels_that_count(of_split) for name, of_split in labels.items()}
    parts = {}
    for name, split in splits.items():
        order = written_order(name, len(split), config.split_seed)
        rows = split.x[order, 0, 0]
        parts[name] = Part(len(split), _examples(values, rows, labels[name][order], ids))
    notes = stream.notes_so_far
    said = [n for n in notes if config.features or not n.startswith("columns that are not")]
    return Source(
        f"table {path}, {layout.form} form",
        names,
        {name: parts[name] for name in ("train", "validation", "test")},
        notes=(
            *guessed,
            *said,
            *doubtful_name_notes(class_names),
            *without_label_note(splits.values()),
            *split_notes,
            *missing_classes(counted, names),
        ),
        feature_names=layout.values if layout.form == "long" else (),
        table=layout,
        per_step=config.label_per_step,
    )


def _read(stream: TableStream, values: ValuesOnDisk) -> tuple[Sequences, list[str]]:
    """Reads all sequences; their values go to a file.

    Returns:
        The sequences, with their numbers in the place of their values, and their ids.
    """
    ids: list[str] = []
    texts: dict[str, list[str | None]] = {"labels": [], "groups": [], "splits": []}
    of_steps = StepLabels()
    recordings, known = array("q"), dict[str, int]()
    report = CountProgress("Read", "rows")
    for each in stream:
        values.append(each.x)
        ids.append(each.id)
        if isinstance(each.label, tuple):
            of_steps.append(each.label)
        else:
            texts["labels"].append(each.label)
        texts["groups"].append(each.group)
        texts["splits"].append(each.split)
        if stream.cuts_windows:
            recording = each.id.rpartition(":")[0]
            recordings.append(known.setdefault(recording, len(known)))
        report(stream.rows_read, stream.rows or None)
    numbers = np.arange(len(ids))[:, None, None]
    arrays = {
        name: np.array(of_all, object) if of_all and of_all[0] is not None else None
        for name, of_all in texts.items()
    }
    part = Sequences(numbers, arrays["labels"], groups=arrays["groups"], splits=arrays["splits"])
    if len(of_steps):
        part = of_steps.given_to(part)
    if stream.cuts_windows:
        part = dataclasses.replace(part, recordings=np.array(recordings))
    return part, ids


def _examples(
    values: ValuesOnDisk, rows: np.ndarray, labels: np.ndarray, ids: list[str]
) -> Callable[[], Iterator[Example]]:
    def examples() -> Iterator[Example]:
        for row, y in zip(rows.tolist(), labels, strict=True):
            x = values[row]
            yield Example(x, int(y) if y.ndim == 0 else y[: len(x)], f"sequence {ids[row]!r}")

    return examples

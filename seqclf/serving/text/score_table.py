"""`write_scores`: writes the scores of texts as a CSV or Parquet file, a row for each token."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from seqclf.serving.text.scoring import ScoredFile
from seqclf.storage.files import replacing


def write_scores(files: Iterable[ScoredFile], out: Path) -> list[str]:
    """Writes a row for each token of each file.

    The columns are `id` (the file), `step` (counted from 0), `token`, its `probability` given the
    tokens before it, and `surprise`, which is -log2 of that. Both are empty for the first token of
    a file, which is not predicted.

    Args:
        files: the scored files.
        out: the file to write, `.csv` or `.parquet`. It is there when all is done, and not before.

    Returns:
        The lines of a summary.

    Raises:
        StorageError: the table cannot be written.
    """
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    names = [("id", pa.string()), ("step", pa.int64()), ("token", pa.string())]
    numbers = [("probability", pa.float32()), ("surprise", pa.float32())]
    schema = pa.schema([*names, *numbers])
    kinds = {".csv": pyarrow.csv.CSVWriter, ".parquet": pyarrow.parquet.ParquetWriter}
    rows, lines = 0, []
    with (
        replacing(out) as temporary,
        temporary.open("wb") as opened,
        kinds[out.suffix.lower()](opened, schema) as writer,
    ):
        for file in files:
            columns = [
                pa.array(column, field.type, from_pandas=True)  # NaN becomes empty
                for column, field in zip(_columns(file), schema, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
            rows += len(columns[0])
            lines.append(file.in_words())
    return [f"Wrote      {out}: {rows:,} rows", *lines]


def _columns(file: ScoredFile) -> list[Any]:
    tokens, p = file.tokens, file.probabilities
    surprise = np.where(np.isnan(p), np.nan, -file.scored.log_probabilities / np.log(2))
    count = np.arange(len(tokens))
    return [[file.path] * len(tokens), count, tokens, p.astype(np.float32), surprise]

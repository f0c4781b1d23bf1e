"""`write_predictions`: predicts the examples of files into one table."""

from collections.abc import Callable, Sequence
from pathlib import Path

from seqclf.serving.predicting.asking import Classifier, answers
from seqclf.serving.predicting.input_file import InputFile
from seqclf.serving.predicting.repeated_ids import RepeatedIds
from seqclf.serving.predicting.rows import rows_of
from seqclf.serving.predicting.scores import RunningScores
from seqclf.storage.files import replacing


def write_predictions(
    files: Sequence[InputFile],
    model: Classifier,
    out: Path,
    report: Callable[[int, int | None], None],
    tell: Callable[[str], None],
) -> list[str]:
    """Predicts all examples of files, batch by batch, and writes a row for each of them.

    Of a model that classifies time steps, it is a row for each time step.

    Args:
        files: the opened files, in the order of the rows.
        model: the model that is asked.
        out: the file to write, `.csv` or `.parquet`; see `PredictionTable` for its columns. It is
            there when all is done, and not before.
        report: a function that is called after each batch with the number of examples that are
            done and the number in all, or None if that is not known.
        tell: a function that is called with each note and each warning about a file.

    Returns:
        The lines of a summary.

    Raises:
        DataError: a file cannot be used, or has no examples.
        StorageError: the table cannot be written.
    """
    from seqclf.serving.predicting.table_out import PredictionTable  # only now, for pyarrow

    labelled = any(file.labelled for file in files)
    counts = [file.count for file in files]
    total = None if None in counts else sum(filter(None, counts))
    scores, ids = RunningScores(model.names), RepeatedIds()
    ending, per_step, done = out.suffix.lower(), model.input.per_step, 0
    with replacing(out) as temporary, temporary.open("wb") as opened:
        table = PredictionTable(opened, ending, model.names, labelled, per_step)
        for file in files:
            for batch, outputs in answers(file, model, tell):
                rows = rows_of(batch, outputs)
                table.write(rows)
                scores.add(rows.labels, rows.index)
                ids.add(batch.ids)
                done += len(batch.ids)
                report(done, total)
        table.close()
    if warning := ids.warning():
        tell(f"warning: {warning}")
    if scores.compared:
        for path in learnt_from(files, model):
            tell(
                f"note: {path}: the file of the model's training data has this name. An accuracy "
                "on examples that were trained on says nothing about new ones."
            )
    return [f"Wrote      {out}: {table.rows:,} rows", *scores.in_words()]


def learnt_from(files: Sequence[InputFile], model: Classifier) -> list[str]:
    """Returns the paths of files with labels that are called as the file of the training data.

    Of training data in several files (a folder, shards) it knows no names.
    """
    kind, _, path = (model.input.spec.source if model.input.spec else "").partition(":")
    name = Path(path).name if kind in ("csv", "parquet", "npz") else ""
    return [file.path for file in files if name and file.labelled and Path(file.path).name == name]

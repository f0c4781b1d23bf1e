"""A CSV or Parquet file whose sequences are to be predicted."""

from collections.abc import Iterator

from seqclf.data.tables.stream import TableStream, open_table
from seqclf.serving.model_input import ModelInput
from seqclf.serving.predicting.batches import InputSequence
from seqclf.serving.predicting.fitting import fitted
from seqclf.serving.predicting.input_file import SequenceFile
from seqclf.serving.predicting.table_options import TableOptions, layout_for


class TableFile(SequenceFile):
    """A table whose sequences are read one after the other.

    A model that was trained on windows gets the windows of each recording.

    Args:
        path: the file.
        model: description of the inputs that the model takes.
        options: options of the user for the columns of the table.

    Raises:
        DataError: the file cannot be read, or columns are missing.
        ConfigError: it is not known which columns the model reads.
    """

    def __init__(self, path: str, model: ModelInput, options: TableOptions):
        layout = layout_for(model, options, path)
        self._stream = open_table(path, layout, labelled=False, per_step=model.per_step)
        names = layout.values if layout.form == "long" else ()
        sequences = _sequences(path, self._stream, model, names)
        super().__init__(path, model, sequences, labelled=self._stream.has_labels)

    def notes(self) -> tuple[str, ...]:
        return self._stream.notes_so_far


def _sequences(
    path: str, stream: TableStream, model: ModelInput, names: tuple[str, ...]
) -> Iterator[InputSequence]:
    for each in stream:
        x = fitted(each.x, model, f"{path}: sequence {each.id!r}", names)
        yield InputSequence(each.id, x, each.label)

"""`InputFile`: a file whose examples are to be predicted; `SequenceFile` is one with sequences."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from seqclf.serving.flat_sequences import FlatSequences
from seqclf.serving.long_sequences import LongSequences
from seqclf.serving.model_input import ModelInput
from seqclf.serving.predicting.batches import Batch, InputSequence, batches
from seqclf.serving.predicting.range_so_far import RangeSoFar


class InputFile(Protocol):
    """The examples of a file.

    Attributes:
        path: the file as the user names it.
        labelled: whether examples may have labels.
        count: the number of examples; None: it is known only when all are read.
    """

    path: str
    labelled: bool
    count: int | None

    def batches(self, size: int) -> Iterator[Batch]:
        """Yields the examples in order, in batches of at most `size`; can be called once.

        Raises:
            DataError: the file is damaged, or an example does not fit the model.
        """

    def warnings(self) -> list[str]:
        """Returns sentences about what looks wrong, which are known after the last batch."""

    def notes(self) -> tuple[str, ...]:
        """Returns sentences about what was left out or guessed, up to the batch that was read."""


class SequenceFile:
    """A file with sequences, which are read one after the other.

    Args:
        path: the file as the user names it.
        model: description of the inputs that the model takes.
        sequences: the sequences, checked, in the dtype of the model.
        labelled: whether sequences may have labels.
        count: the number of sequences; None: it is not known.
        warnings: sentences about values that look wrong, as far as they are known at the start.
    """

    def __init__(
        self,
        path: str,
        model: ModelInput,
        sequences: Iterable[InputSequence],
        *,
        labelled: bool = False,
        count: int | None = None,
        warnings: Iterable[str] = (),
    ):
        self.path = path
        self.labelled = labelled
        self.count = count
        self._model = model
        self._sequences = sequences
        self._warnings = list(warnings)
        self._range = RangeSoFar(model.input_range)
        self._long = LongSequences(model.spec)
        self._flat = FlatSequences(model.spec)

    def batches(self, size: int) -> Iterator[Batch]:
        for batch in batches(self._sequences, self._model, size):
            lengths = batch.inputs.get("lengths")
            self._range.add(batch.inputs["inputs"], lengths)
            self._flat.add(batch.inputs["inputs"], lengths)
            if lengths is not None:
                self._long.add(lengths)
            yield batch

    def warnings(self) -> list[str]:
        counted = (self._range, self._long, self._flat)
        found = filter(None, [*self._warnings, *(each.warning() for each in counted)])
        return [f"{self.path}: {text}." for text in found]

    def notes(self) -> tuple[str, ...]:
        return ()

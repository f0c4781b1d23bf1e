"""`warn_of_inputs`: warns about sequences that a model accepts but probably misreads."""

import warnings
from typing import TYPE_CHECKING

from seqclf.client.errors import InputWarning
from seqclf.serving.flat_sequences import FlatSequences
from seqclf.serving.input_warnings import input_warnings
from seqclf.serving.long_sequences import LongSequences
from seqclf.serving.model_facts import ModelFacts
from seqclf.serving.predicting.range_so_far import RangeSoFar

if TYPE_CHECKING:
    from seqclf.data.dataset import ExampleStore

PART = 1024  # examples that are looked at together: a copy of all would need much memory


def warn_of_inputs(
    examples: "ExampleStore", facts: ModelFacts, *, padded: bool, stacklevel: int
) -> None:
    """Warns about values and lengths that are far from those of the training data.

    Args:
        examples: the sequences; those in shards are not looked at.
        facts: what is known about the training data.
        padded: whether the user has padded the sequences, so that their padding is looked at too.
        stacklevel: how far above this function the caller of the user stands, as in
            `warnings.warn`.
    """
    from seqclf.data.dataset import Split

    if not isinstance(examples, Split):
        return
    x, lengths = examples.x, examples.lengths
    values, sequences = RangeSoFar(facts.input_range), LongSequences(facts.spec)
    flat = FlatSequences(facts.spec)
    for start in range(0, len(x), PART):
        part = slice(start, start + PART)
        values.add(x[part], None if lengths is None else lengths[part])
        flat.add(x[part], None if lengths is None else lengths[part])
    found = [values.warning(), flat.warning()]
    if lengths is not None:
        sequences.add(lengths)
        found.append(sequences.warning())
        if padded:  # what is beyond a length is not read, so it needs no warning
            inputs = {"inputs": x, "lengths": lengths}
            found.append(input_warnings(inputs, None).get("padding", ""))
    for text in filter(None, found):
        warnings.warn(f"{text}.", InputWarning, stacklevel=stacklevel + 1)

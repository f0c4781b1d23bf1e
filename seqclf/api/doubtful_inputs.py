"""`warn_of_inputs`: warns about sequences that a model accepts but probably misreads."""

import warnings
from typing import TYPE_CHECKING

from seqclf.serving.client.errors import InputWarning
from seqclf.serving.input_warnings import input_warnings
from seqclf.serving.model_facts import ModelFacts

if TYPE_CHECKING:
    from seqclf.data.dataset import ExampleStore

KINDS = ("range", "long")
OF_PADDED = (*KINDS, "padding")  # what is beyond a length is not read, so it needs no warning


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
    inputs = {"inputs": examples.x}
    if examples.lengths is not None:
        inputs["lengths"] = examples.lengths
    for kind, text in input_warnings(inputs, facts.input_range, facts.spec).items():
        if kind in (OF_PADDED if padded else KINDS):
            warnings.warn(f"{text}.", InputWarning, stacklevel=stacklevel + 1)

"""`write`: writes a text token by token."""

from collections.abc import Iterator

import numpy as np

from seqclf.data.spec import DatasetSpec
from seqclf.serving.text.asking import Started, TextModel
from seqclf.serving.text.draws import choose, uniform
from seqclf.serving.text.options import WritingOptions

SHOWN = 20  # unknown tokens that a note names


def write(model: TextModel, started: Started, options: WritingOptions) -> Iterator[bytes]:
    """Yields the text of a prefix, then each token that follows; joined they are the whole text.

    The signature `generate` of an export writes the same text.

    Args:
        model: what writes.
        started: what `start` returned for the prefix.
        options: length, temperature, top k and seed.
    """
    assert model.spec.tokens is not None
    separator = model.spec.tokens.separator.encode()
    yield separator.join(started.tokens)
    probabilities, states = started.probabilities, started.states
    for position in range(options.length):
        drawn = uniform(options.seed, position)
        token = choose(probabilities, options.temperature, options.top_k, drawn)
        yield separator + token_bytes(model.spec, token)
        if position + 1 < options.length:
            states = model.ask("step", {"ids": np.array([token], np.int32), **states})
            probabilities = states.pop("probabilities")[0]


def token_bytes(spec: DatasetSpec, index: int) -> bytes:
    """Returns a token of the vocabulary as it is written."""
    assert spec.tokens is not None
    return spec.class_names[index].encode("latin-1" if spec.tokens.kind == "bytes" else "utf-8")


def notes(started: Started, prefix: str, spec: DatasetSpec) -> list[str]:
    """Returns what must be said of how a prefix was read, as sentences.

    Args:
        started: what `start` returned for the prefix.
        prefix: the prefix as it was given.
        spec: the spec of the model's text.
    """
    assert spec.tokens is not None
    said, read = [], spec.tokens.separator.encode().join(started.tokens)
    if read != prefix.encode():
        said.append(f"the prefix is read as {read.decode(errors='replace')!r}")
    if started.unknown:
        listed = ", ".join(repr(t.decode(errors="replace")) for t in started.unknown[:SHOWN])
        more = ", …" * (len(started.unknown) > SHOWN)
        said.append(
            f"the vocabulary lacks {len(started.unknown)} of the prefix's {spec.tokens.kind}, "
            f"which are read as <unk>: {listed}{more}"
        )
    return said

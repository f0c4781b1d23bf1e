"""A few texts for the warm-up and the verification of an exported language model."""

import numpy as np

from seqclf.data.dataset import DatasetSpec
from seqclf.data.text.tokenizer import tokens_of
from seqclf.serving.file_names import SAMPLE
from seqclf.serving.object_arrays import object_array
from seqclf.storage.run_directory import Run

LENGTHS = (8, 16, 12)  # tokens of the texts


def example_texts(run: Run, spec: DatasetSpec) -> list[bytes]:
    """Returns texts from the sample that a training left in its run, or made-up ones.

    Args:
        run: the run.
        spec: the spec of its text.
    """
    sample = run.samples / SAMPLE
    return texts_from(sample.read_bytes() if sample.is_file() else b"", spec)


def texts_from(sample: bytes, spec: DatasetSpec) -> list[bytes]:
    """Returns texts of `LENGTHS` tokens, one after the other in a sample.

    Args:
        sample: a text; one of fewer than two tokens is replaced by tokens of the vocabulary.
        spec: the spec of the text.
    """
    assert spec.tokens is not None
    tokens = tokens_of([sample], spec.tokens)[0].numpy().tolist()
    if len(tokens) < 2:
        encoding = "latin-1" if spec.tokens.kind == "bytes" else "utf-8"
        tokens = [name.encode(encoding) for name in spec.class_names[1:3]]
    separator = spec.tokens.separator.encode()
    texts, begin = [], 0
    for length in LENGTHS:
        at = np.arange(begin, begin + length) % len(tokens)
        texts.append(separator.join(tokens[i] for i in at))
        begin += length
    return texts


def text_feed(
    signature: str, texts: list[bytes], size: int, widths: dict[str, int]
) -> dict[str, np.ndarray]:
    """Returns the inputs of a request to a signature of `TextSignatures`, by name.

    Args:
        signature: its name.
        texts: the texts, which are repeated if there are fewer than `size`.
        size: N, the number of texts of the request.
        widths: H by the name of each state.
    """
    chosen = object_array([texts[i % len(texts)] for i in range(size)])
    if signature == "tokens":
        return {"ids": np.ones(size, np.int32)}
    if signature in ("step", "trace_step"):
        states = {name: np.zeros([size, width], np.float32) for name, width in widths.items()}
        return {"ids": np.ones(size, np.int32), **states}
    if signature == "generate":
        return {
            "prefix": chosen,
            "length": np.full(size, 4, np.int32),
            "temperature": np.full(size, 0.8, np.float32),
            "top_k": np.zeros(size, np.int32),
            "seed": np.arange(size, dtype=np.int64),
        }
    return {"prefix" if signature == "start" else "text": chosen}

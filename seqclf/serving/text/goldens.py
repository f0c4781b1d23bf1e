"""What a language model itself says of a few texts, which its export must say as well."""

import math

import keras
import numpy as np

from seqclf.data.dataset import DatasetSpec
from seqclf.data.text.token_spec import characters_of
from seqclf.data.text.tokenizer import Vocabulary
from seqclf.models.language_model import trace_text, zero_state
from seqclf.serving.object_arrays import object_array
from seqclf.serving.text.state_names import output_name, state_names
from seqclf.serving.text.writing import token_bytes
from seqclf.serving.verify.requests import Golden

WRITTEN = 6  # tokens of a text that is written
CLEAR = 0.01  # how much less probable the second choice must be: rounding must not decide


def text_goldens(model: keras.Model, spec: DatasetSpec, texts: list[bytes]) -> list[Golden]:
    """Returns requests to an export with what the Keras model computes for them.

    The Keras model reads each text as a whole, without carrying a state.

    Args:
        model: a model of `build_language_model`.
        spec: the spec of its text.
        texts: texts of two tokens or more.
    """
    assert spec.tokens is not None
    vocabulary = Vocabulary(spec.class_names, spec.tokens)
    rows = [np.array(row, np.int32) for row in vocabulary.indices_of(texts).to_list()]
    logs = [_log_probabilities(model, row) for row in rows]
    longest = max(map(len, rows))
    predicted = np.zeros([len(rows), longest], np.float32)
    for i, (row, log) in enumerate(zip(rows, logs, strict=True)):
        predicted[i, 1 : len(row)] = log[np.arange(len(row) - 1), row[1:]]
    scores = {
        "bits_per_character": -predicted.sum(1) / math.log(2) / _characters(rows, spec),
        "log_probabilities": predicted,
        "token_count": np.array([len(row) for row in rows], np.int32),
    }
    strings = object_array(texts)
    firsts = np.array([row[0] for row in rows], np.int32)
    zeros = zero_state(model, len(rows))
    states = dict(zip(state_names(len(zeros)), zeros, strict=True))
    goldens = [Golden(name, {"text": strings}, scores) for name in ("serving_default", "score")]
    last = {"probabilities": np.exp([log[-1] for log in logs])}
    first = {"probabilities": np.exp([log[0] for log in logs])}
    goldens.append(Golden("start", {"prefix": strings}, last))
    goldens.append(Golden("step", {"ids": firsts, **states}, first))
    gates = _first_gates(model, firsts)
    goldens.append(Golden("trace_step", {"ids": firsts, **states}, first | gates))
    names = object_array([token_bytes(spec, int(index)) for index in firsts])
    goldens.append(Golden("tokens", {"ids": firsts}, {output_name("tokens", spec.tokens): names}))
    return goldens + _written(model, spec, vocabulary, texts[0], rows[0])


def _written(
    model: keras.Model, spec: DatasetSpec, vocabulary: Vocabulary, text: bytes, row: np.ndarray
) -> list[Golden]:
    """Returns what the model writes after a text, the most probable token each time.

    There is none if at the first token two are about equally probable.
    """
    assert spec.tokens is not None
    written: list[int] = []
    while len(written) < WRITTEN:
        read = np.array([*row, *written], np.int32)
        known = _log_probabilities(model, read)[-1, 1:]
        second, first = np.sort(np.append(known, -np.inf))[-2:]
        if first - second < CLEAR:
            break
        written.append(int(known.argmax()) + 1)
    if not written:
        return []
    whole = text + spec.tokens.separator.encode() + vocabulary.text_of([written]).numpy()[0]
    inputs = {
        "prefix": object_array([text]),
        "length": np.array([len(written)], np.int32),
        "temperature": np.zeros(1, np.float32),
        "top_k": np.zeros(1, np.int32),
        "seed": np.zeros(1, np.int64),
    }
    return [Golden("generate", inputs, {output_name("text", spec.tokens): object_array([whole])})]


def _first_gates(model: keras.Model, firsts: np.ndarray) -> dict[str, np.ndarray]:
    """Returns the gates of each layer at the first tokens `[N]` of texts, `[N, H]` each."""
    _, traces = trace_text(model, firsts[:, None])
    return {
        f"{name}_{i}": np.asarray(values[:, 0], np.float32)
        for i, layer in enumerate(traces, start=1)
        for name, values in layer.gates.items()
    }


def _log_probabilities(model: keras.Model, ids: np.ndarray) -> np.ndarray:
    """Returns the logarithms of the probabilities after each token of a text, `[T, V]`."""
    logits = np.asarray(model(ids[None], training=False), np.float64)[0]
    shifted = logits - logits.max(-1, keepdims=True)
    shifted -= np.log(np.exp(shifted).sum(-1, keepdims=True))
    return np.asarray(shifted, np.float32)


def _characters(rows: list[np.ndarray], spec: DatasetSpec) -> np.ndarray:
    """Returns the number of characters of each text that are predicted."""
    assert spec.tokens is not None
    lengths = np.array(characters_of(spec.class_names))
    separator = len(spec.tokens.separator)
    return np.array([lengths[row[1:]].sum() + (len(row) - 2) * separator for row in rows])

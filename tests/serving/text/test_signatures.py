"""The signatures of a language model, beside the model itself read with NumPy."""

import functools
import math

import numpy as np
import pytest
import tensorflow as tf
from language_models import language_model, spec_of

from seqclf.data.text.tokenizer import Vocabulary
from seqclf.serving.text import graph_model
from seqclf.serving.text.signatures import TextSignatures
from seqclf.serving.text.state_names import output_name

MODELS = {
    "characters": (spec_of(), {"units": [6, 5], "dropout": 0.2}),
    "words": (spec_of("words"), {"cell": "lstm", "embedding": 4, "layer_norm": True}),
    "bytes": (spec_of("bytes"), {"cell": "mgu"}),
}
TEXTS = {
    "characters": ["the rain\nin é", "ends", "shore and ẞ star"],
    "words": ["the time, machine", "’tis time", "The the the the , the"],
    "bytes": ["é tea", "ten tin", "to"],
}
OPTIONS = {"length": tf.int32, "temperature": tf.float32, "top_k": tf.int32, "seed": tf.int64}


class Model:
    """A Keras model with its signatures, and what it says itself."""

    def __init__(self, kind):
        self.kind = kind
        self.spec, options = MODELS[kind]
        self.keras = language_model(self.spec, **options)
        self.signatures = TextSignatures(self.keras, self.spec)
        self.vocabulary = Vocabulary(self.spec.class_names, self.spec.tokens)
        self.ask = {name: function for name, (function, _) in self.signatures.all.items()}
        if kind == "characters":  # in a graph, as in an export; the others, to save time, are not
            self.ask = {
                name: tf.function(function, input_signature=inputs)
                for name, (function, inputs) in self.signatures.all.items()
            }

    def ids(self, text):
        return self.vocabulary.indices_of([text]).to_list()[0]

    def probabilities(self, ids):
        """Returns the probabilities after each token, `[T, V]`, of the whole text at once."""
        padded = np.zeros([1, 64], np.int32)  # of one shape: each new one takes seconds to begin
        padded[0, : len(ids)] = ids
        logits = self.keras(padded).numpy()[0, : len(ids)].astype(np.float64)
        odds = np.exp(logits - logits.max(-1, keepdims=True))
        return odds / odds.sum(-1, keepdims=True)

    def write(self, prefix, **options):
        given = {"length": 8, "temperature": 0.9, "top_k": 0, "seed": 3} | options
        arrays = [
            tf.constant(np.broadcast_to(given[name], len(prefix)), dtype)
            for name, dtype in OPTIONS.items()
        ]
        outputs = self.ask["generate"](tf.constant(prefix), *arrays)
        return outputs[output_name("text", self.spec.tokens)].numpy().tolist()


known = functools.cache(Model)


@pytest.fixture(scope="module", params=MODELS)
def model(request):
    return known(request.param)


@pytest.fixture(scope="module")
def characters():
    return known("characters")


def test_scores(model):
    texts = TEXTS[model.kind]
    outputs = model.ask["score"](tf.constant(texts))
    tokens = outputs[output_name("tokens", model.spec.tokens)].numpy()
    for i, text in enumerate(texts):
        ids = model.ids(text)
        count = int(outputs["token_count"][i])
        assert count == len(ids)
        rows = np.arange(count - 1)
        logs = np.log(model.probabilities(ids)[rows, ids[1:]])
        found = outputs["log_probabilities"][i].numpy()
        np.testing.assert_allclose(found[1:count], logs, rtol=1e-4, atol=1e-5)
        assert found[0] == 0 and not found[count:].any()
        separator = model.spec.tokens.separator
        names = [model.spec.class_names[k] if k else "?" for k in ids[1:]]
        bits = -logs.sum() / math.log(2) / len(separator.join(names))
        assert float(outputs["bits_per_character"][i]) == pytest.approx(bits, rel=1e-4)
        if model.kind != "words":
            assert b"".join(tokens[i]).decode() == text


def test_a_text_that_is_read_in_pieces(monkeypatch):
    whole = known("characters").ask["score"](tf.constant(TEXTS["characters"]))
    monkeypatch.setattr(
        graph_model, "MOST_LOGITS", 3 * len(MODELS["characters"][0].class_names) * 4
    )
    model = Model("characters")
    parts = model.ask["score"](tf.constant(TEXTS["characters"]))
    for name, value in whole.items():
        if value.dtype == tf.string:
            assert (value.numpy() == parts[name].numpy()).all()
        else:
            np.testing.assert_allclose(value, parts[name], rtol=1e-5, atol=1e-6)
    started = model.ask["start"](tf.constant(TEXTS["characters"]))
    for i, text in enumerate(TEXTS["characters"]):
        last = model.probabilities(model.ids(text))[-1]
        np.testing.assert_allclose(started["probabilities"][i], last, rtol=1e-4, atol=1e-6)


def test_a_start_and_steps_are_the_text_read_at_once(model):
    texts = TEXTS[model.kind]
    outputs = model.ask["start"](tf.constant(texts))
    ids = [model.ids(text) for text in texts]
    for i, row in enumerate(ids):
        assert outputs["ids"][i].numpy()[: len(row)].tolist() == row
        last = model.probabilities(row)[-1]
        np.testing.assert_allclose(outputs["probabilities"][i], last, rtol=1e-4, atol=1e-6)
    for following in ([1, 2, 3], [4, 0, 2]):
        states = [outputs[name] for name in model.signatures.states]
        outputs = model.ask["step"](tf.constant(following), *states)
        ids = [[*row, token] for row, token in zip(ids, following, strict=True)]
        for i, row in enumerate(ids):
            last = model.probabilities(row)[-1]
            np.testing.assert_allclose(outputs["probabilities"][i], last, rtol=1e-4, atol=1e-6)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_the_gates_of_a_step_are_those_of_the_equations(characters):
    started = characters.ask["start"](tf.constant(TEXTS["characters"]))
    states = [started[name] for name in characters.signatures.states]
    ids = np.array([4, 0, 2])
    found = characters.ask["trace_step"](tf.constant(ids, tf.int32), *states)
    size = len(characters.spec.class_names)
    x = np.eye(size)[ids]  # [N, V]
    layers = [layer for layer in characters.keras.layers if hasattr(layer, "cell")]
    for i, (layer, before) in enumerate(zip(layers, states, strict=True), start=1):
        W, U, b = (weight.numpy().astype(np.float64) for weight in layer.cell.weights)
        a, s = np.split(x @ W + b[0], 3, axis=1), np.split(before @ U + b[1], 3, axis=1)
        z, r = sigmoid(a[0] + s[0]), sigmoid(a[1] + s[1])
        x = z * before + (1 - z) * np.tanh(a[2] + r * s[2])
        for name, expected in (("update_gate", z), ("reset_gate", r), ("state", x)):
            np.testing.assert_allclose(found[f"{name}_{i}"], expected, rtol=1e-4, atol=1e-5)
    assert set(found) == {
        "probabilities",
        *(f"{name}_{i}" for name in ("state", "update_gate", "reset_gate") for i in (1, 2)),
    }


def test_a_traced_step_is_a_step(model):
    states = [
        tf.random.stateless_normal([3, width], [1, i]) / 2
        for i, width in enumerate(model.signatures.widths)
    ]
    plain = model.ask["step"](tf.constant([1, 0, 3]), *states)
    traced = model.ask["trace_step"](tf.constant([1, 0, 3]), *states)
    for name, value in plain.items():
        np.testing.assert_allclose(traced[name], value, rtol=1e-4, atol=1e-6)
    gates = {
        "characters": {"update_gate_1", "reset_gate_1", "update_gate_2", "reset_gate_2"},
        "words": {"input_gate_1", "forget_gate_1", "output_gate_1"},
        "bytes": {"forget_gate_1"},
    }
    assert set(traced) - set(plain) == gates[model.kind]


def test_the_tokens_of_indices(model):
    ids = list(range(len(model.spec.class_names)))[::-1]
    answer = model.ask["tokens"](tf.constant(ids))
    encoding = "latin-1" if model.kind == "bytes" else "utf-8"
    names = [name.encode(encoding) for name in model.spec.class_names[::-1]]
    assert answer[output_name("tokens", model.spec.tokens)].numpy().tolist() == names


def test_without_temperature_the_most_probable_tokens_are_written(model):
    prefix = TEXTS[model.kind][0]
    ids = model.ids(prefix)
    for _ in range(8):
        known = model.probabilities(ids)[-1, 1:]
        ids.append(int(known.argmax()) + 1)
    text = model.vocabulary.text_of([ids]).numpy()[0]
    (found,) = model.write([prefix], temperature=0)
    assert found == text


def test_a_text_does_not_depend_on_its_batch(model):
    prefixes = TEXTS[model.kind]
    together = model.write(prefixes, seed=[5, 6, 7], length=[8, 3, 20], top_k=[0, 2, 4])
    alone = [
        model.write([prefix], seed=seed, length=length, top_k=top_k)[0]
        for prefix, seed, length, top_k in zip(
            prefixes, (5, 6, 7), (8, 3, 20), (0, 2, 4), strict=True
        )
    ]
    assert together == alone
    assert model.write(prefixes[:1] * 2, seed=[1, 2])[0] != model.write(prefixes[:1], seed=[2])[0]
    lengths = [len(model.ids(text.decode(errors="replace"))) for text in together]
    if model.kind == "characters":
        assert lengths == [len(p) + n for p, n in zip(prefixes, (8, 3, 20), strict=True)]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("length", 0, "length must lie in 1 to 1000; received:] [0]"),
        ("length", 1001, "length must lie in 1 to 1000; received:] [1001]"),
        ("temperature", -0.1, "temperature must lie in 0 to 100"),
        ("temperature", float("nan"), "temperature must lie in 0 to 100"),
        ("top_k", -1, "top_k must lie in 0 to 14"),
        ("top_k", 15, "top_k must lie in 0 to 14"),
        ("prefix", "", "each prefix must have 1 to 10000 tokens (characters)"),
        ("prefix", "t" * 10_001, "numbers received:] [10001]"),
    ],
)
def test_what_generate_refuses(characters, name, value, said):
    options = {} if name == "prefix" else {name: value}
    with pytest.raises(tf.errors.InvalidArgumentError) as error:
        characters.write([value if name == "prefix" else "the"], **options)
    assert said in str(error.value)


def test_what_the_others_refuse(characters):
    invalid = tf.errors.InvalidArgumentError
    with pytest.raises(invalid, match=r"each text must have 2 to 10000 tokens"):
        characters.ask["score"](tf.constant(["the", "t"]))
    with pytest.raises(invalid, match=r"each text must have 2 to 10000 tokens"):
        characters.ask["score"](tf.constant([""]))
    with pytest.raises(invalid, match=r"each prefix must have 1 to 10000 tokens"):
        characters.ask["start"](tf.constant(["the", ""]))
    states = [tf.zeros([2, 6]), tf.zeros([2, 5])]
    for ids in ([0, 14], [-1, 0]):
        with pytest.raises(invalid, match=r"ids must lie in 0 to 13"):
            characters.ask["step"](tf.constant(ids), *states)
        with pytest.raises(invalid, match=r"ids must lie in 0 to 13"):
            characters.ask["tokens"](tf.constant(ids))
    with pytest.raises(invalid, match=r"state_1 must have a row for each of the ids"):
        characters.ask["step"](tf.constant([1]), *states)
    with pytest.raises(invalid, match=r"state_2 must be finite numbers"):
        characters.ask["trace_step"](tf.constant([1, 1]), states[0], states[1] + np.nan)
    sizes = [tf.constant([3, 3]), tf.constant([0.0]), tf.constant([0]), tf.constant([0], tf.int64)]
    with pytest.raises(invalid, match=r"must have one number for each prefix"):
        characters.ask["generate"](tf.constant(["the"]), *sizes)

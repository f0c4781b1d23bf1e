"""The signatures of an exported language model: the inputs of requests, and the outputs.

Each signature checks its inputs, because TensorFlow Serving checks neither shapes nor ranges. All
are batch-major, and what a row gets depends on that row alone: the server may put requests of
several clients into one batch.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf
from tensorflow import Tensor

from seqclf.data.dataset import DatasetSpec
from seqclf.data.text.token_spec import characters_of
from seqclf.data.text.tokenizer import Vocabulary, tokens_of
from seqclf.errors import ConfigError
from seqclf.serving.graph_assertions import require
from seqclf.serving.text.graph_draws import choose, uniform
from seqclf.serving.text.graph_model import GraphModel
from seqclf.serving.text.options import MAX_LENGTH, MAX_TEMPERATURE, MAX_TOKENS
from seqclf.serving.text.state_names import output_name, state_names


class TextSignatures:
    """The signatures of one language model.

    Args:
        model: a model of `build_language_model`.
        spec: the spec of the text.

    Attributes:
        vocabulary: the vocabulary, whose table must be saved with the signatures.
        states: the names of the states, first to last.
        widths: H, the width of each state.
        all: name → (function, TensorSpecs of its inputs), in the order of the documentation.

    Raises:
        ConfigError: the vocabulary has no token but the unknown one.
    """

    def __init__(self, model: keras.Model, spec: DatasetSpec):
        assert spec.tokens is not None
        if spec.num_classes < 2:
            raise ConfigError(
                "The vocabulary has no token but <unk>, so nothing can be written: train with a "
                f"larger `data.vocabulary`. Received: {spec.num_classes}"
            )
        self._tokens, self._size = spec.tokens, spec.num_classes
        self.vocabulary = Vocabulary(spec.class_names, spec.tokens)
        self._characters = characters_of(spec.class_names)
        self._graph = GraphModel(model, spec.num_classes)
        self.widths = self._graph.widths
        self.states = state_names(len(self.widths))
        states = [
            tf.TensorSpec([None, width], tf.float32, name)
            for name, width in zip(self.states, self.widths, strict=True)
        ]
        text, prefix = _strings("text"), _strings("prefix")
        writing = [prefix, _ints("length"), tf.TensorSpec([None], tf.float32, "temperature")]
        writing += [_ints("top_k"), tf.TensorSpec([None], tf.int64, "seed")]
        self.all: dict[str, tuple[Callable[..., Any], list[tf.TensorSpec]]] = {
            "score": (self.score, [text]),
            "generate": (self.generate, writing),
            "start": (self.start, [prefix]),
            "step": (self.step, [_ints("ids"), *states]),
            "trace_step": (self.trace_step, [_ints("ids"), *states]),
            "tokens": (self.tokens, [_ints("ids")]),
        }

    def score(self, text: Tensor) -> dict[str, Tensor]:
        """Scores texts: how probable each token was, given those before it in the same text.

        Args:
            text: string `[N]`, of 2 to `MAX_TOKENS` tokens each.

        Returns:
            `bits_per_character` float32 `[N]`, `log_probabilities` float32 `[N, T]`, natural
            logarithms, and `tokens` string `[N, T]`, where T is the number of tokens of the
            longest text, and `token_count` int32 `[N]`. The first token of a text is not
            predicted: its logarithm is 0, as are those beyond the end of a text.
        """
        tokens, counts = self._tokens_of(text, "text", 2)
        ids = self._dense(tokens)
        logs, _, _ = self._graph.read(ids, counts)
        predicted = tf.sequence_mask(counts, tf.shape(ids)[1]) & (tf.range(tf.shape(ids)[1]) > 0)
        logs = tf.where(predicted, logs, 0)
        lengths = tf.where(predicted, tf.gather(tf.constant(self._characters), ids), 0)
        characters = tf.reduce_sum(lengths, axis=1)  # [N]
        characters += (counts - 2) * len(self._tokens.separator)
        nats = tf.reduce_sum(logs, axis=1)
        bits = -nats / math.log(2) / tf.cast(tf.maximum(characters, 1), tf.float32)
        return {
            "bits_per_character": bits,
            "log_probabilities": logs,
            "token_count": counts,
            self._name("tokens"): tokens.to_tensor(""),
        }

    def start(self, prefix: Tensor) -> dict[str, Tensor]:
        """Reads prefixes, for a client that writes with `step`.

        Args:
            prefix: string `[N]`, of 1 to `MAX_TOKENS` tokens each.

        Returns:
            `probabilities` float32 `[N, V]` of the token after the prefix; the states after it,
            `state_1`, … float32 `[N, H]`; `ids` int32 `[N, T]` and `tokens` string `[N, T]`, the
            tokens of the prefixes, filled up with 0 and "", and `token_count` int32 `[N]`. The id 0
            is a token that the vocabulary lacks.
        """
        tokens, counts = self._tokens_of(prefix, "prefix", 1)
        ids = self._dense(tokens)
        _, probabilities, states = self._graph.read(ids, counts)
        return {
            "probabilities": probabilities,
            "ids": ids,
            self._name("tokens"): tokens.to_tensor(""),
            "token_count": counts,
            **dict(zip(self.states, states, strict=True)),
        }

    def step(self, ids: Tensor, *states: Tensor) -> dict[str, Tensor]:
        """Reads one token of each text.

        Args:
            ids: int32 `[N]`, the indices of the tokens.
            *states: the states before them, float32 `[N, H]` each; zeros: nothing was read.

        Returns:
            `probabilities` float32 `[N, V]` of the next token, and the states, as in `start`.
        """
        ids = self._known(ids)
        probabilities, after = self._graph.advance(ids, self._states_of(ids, states))
        return {"probabilities": probabilities, **dict(zip(self.states, after, strict=True))}

    def trace_step(self, ids: Tensor, *states: Tensor) -> dict[str, Tensor]:
        """Reads one token of each text, and returns the gates as well.

        Args:
            ids: see `step`.
            *states: see `step`.

        Returns:
            The outputs of `step`, and the gates of each layer i, from 1: for a GRU `update_gate_i`
            and `reset_gate_i`, float32 `[N, H]` each.
        """
        ids = self._known(ids)
        probabilities, after, gates = self._graph.trace(ids, self._states_of(ids, states))
        return {
            "probabilities": probabilities,
            **dict(zip(self.states, after, strict=True)),
            **{
                f"{name}_{i}": values
                for i, layer in enumerate(gates, start=1)
                for name, values in layer.items()
            },
        }

    def tokens(self, ids: Tensor) -> dict[str, Tensor]:
        """Returns the tokens of indices, for a client that has no file of the vocabulary.

        Args:
            ids: int32 `[N]`, the indices of the tokens.

        Returns:
            `tokens` string `[N]`; of the index 0 it is `<unk>`.
        """
        return {self._name("tokens"): self.vocabulary.text_of(self._known(ids)[:, None])}

    def generate(
        self, prefix: Tensor, length: Tensor, temperature: Tensor, top_k: Tensor, seed: Tensor
    ) -> dict[str, Tensor]:
        """Writes texts.

        Args:
            prefix: string `[N]`, what the texts begin with, of 1 to `MAX_TOKENS` tokens each.
            length: int32 `[N]`, the number of tokens to write, 1 to `MAX_LENGTH`.
            temperature: float32 `[N]`, 0 (the most probable token each time) to `MAX_TEMPERATURE`.
            top_k: int32 `[N]`, see `WritingOptions`.
            seed: int64 `[N]`, the seed of each text.

        Returns:
            `text` string `[N]`: the prefix as the model reads it, and what follows. The unknown
            token is never written.
        """
        length = self._checked(prefix, length, temperature, top_k, seed)
        tokens, counts = self._tokens_of(prefix, "prefix", 1)
        _, probabilities, states = self._graph.read(self._dense(tokens), counts)
        longest = tf.reduce_max(length)
        written = tf.TensorArray(tf.int32, longest, element_shape=[None])

        def write(
            place: Tensor, probabilities: Tensor, states: list[Tensor], written: Any
        ) -> tuple[Any, ...]:
            drawn = uniform(seed, place)
            ids = choose(probabilities, temperature, top_k, drawn)
            probabilities, states = self._graph.advance(ids, states)
            return place + 1, probabilities, states, written.write(place, ids)

        *_, written = tf.while_loop(
            lambda place, *_: place < longest,
            write,
            (tf.constant(0), probabilities, list(states), written),
            shape_invariants=self._graph.loop_shapes,
        )
        ids = tf.RaggedTensor.from_tensor(tf.transpose(written.stack()), lengths=length)
        separator = self._tokens.separator
        before = tf.strings.reduce_join(tokens, axis=-1, separator=separator)
        text = tf.strings.join([before, self.vocabulary.text_of(ids)], separator)
        return {self._name("text"): text}

    def _known(self, ids: Tensor) -> Tensor:
        """Returns indices of tokens, which are checked."""
        return require(
            ids,
            tf.reduce_all((ids >= 0) & (ids < self._size)),
            f"ids must lie in 0 to {self._size - 1}; received:",
            ids,
        )

    def _states_of(self, ids: Tensor, states: Sequence[Tensor]) -> list[Tensor]:
        """Returns the states of the texts whose tokens `ids` has, which are checked."""
        checked = []
        for name, width, state in zip(self.states, self.widths, states, strict=True):
            state = tf.ensure_shape(state, [None, width])
            state = require(
                state,
                tf.equal(tf.shape(state)[0], tf.shape(ids)[0]),
                f"{name} must have a row for each of the ids; shapes received:",
                tf.shape(state),
                tf.shape(ids),
            )
            checked.append(tf.debugging.check_numerics(state, f"{name} must be finite numbers."))
        return checked

    def _checked(
        self, prefix: Tensor, length: Tensor, temperature: Tensor, top_k: Tensor, seed: Tensor
    ) -> Tensor:
        """Returns `length`; the graph refuses options that are out of range."""
        rows = tf.shape(prefix)[0]
        sizes = tf.stack([tf.shape(each)[0] for each in (length, temperature, top_k, seed)])
        length = require(
            length,
            tf.reduce_all(tf.equal(sizes, rows)),
            "length, temperature, top_k and seed must have one number for each prefix; numbers of "
            "them and of prefixes received:",
            sizes,
            rows,
        )
        for name, value, largest in (
            ("length", length, MAX_LENGTH),
            ("temperature", temperature, MAX_TEMPERATURE),
            ("top_k", top_k, self._size),
        ):
            low = 1 if name == "length" else 0
            length = require(
                length,
                tf.reduce_all((value >= low) & (value <= largest)),
                f"{name} must lie in {low} to {largest:g}; received:",
                value,
            )
        return length

    def _tokens_of(self, texts: Tensor, name: str, least: int) -> tuple[tf.RaggedTensor, Tensor]:
        """Returns the tokens of texts and their numbers, int32 `[N]`, which are checked."""
        tokens = tokens_of(texts, self._tokens)
        counts = tf.cast(tokens.row_lengths(), tf.int32)
        # All that reads the tokens waits for the check, or it might fail first, by another message.
        splits = require(
            tokens.row_splits,
            tf.reduce_all((counts >= least) & (counts <= MAX_TOKENS)),
            f"each {name} must have {least} to {MAX_TOKENS} tokens ({self._tokens.kind}); numbers "
            "received:",
            counts,
        )
        tokens = tf.RaggedTensor.from_row_splits(tokens.flat_values, splits, validate=False)
        return tokens, tf.cast(tokens.row_lengths(), tf.int32)

    def _dense(self, tokens: tf.RaggedTensor) -> Tensor:
        """Returns the indices of tokens, int32 `[N, T]`, filled up with 0."""
        ids = tokens.with_flat_values(self.vocabulary.table.lookup(tokens.flat_values))
        return ids.to_tensor(0)

    def _name(self, output: str) -> str:
        return output_name(output, self._tokens)


def _ints(name: str) -> tf.TensorSpec:
    return tf.TensorSpec([None], tf.int32, name)


def _strings(name: str) -> tf.TensorSpec:
    return tf.TensorSpec([None], tf.string, name)

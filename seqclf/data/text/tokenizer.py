"""Turns texts into tokens, by TensorFlow's own string operations, so that an export can hold it."""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from seqclf.data.text.token_spec import UNKNOWN, TokenSpec


def tokens_of(texts: Any, spec: TokenSpec) -> tf.RaggedTensor:
    """Returns the tokens of texts.

    Args:
        texts: strings `[N]`, UTF-8 (of kind bytes: any bytes).
        spec: how a text becomes tokens.

    Returns:
        Strings, a ragged tensor `[N, (T)]`.

    Example:
        >>> tokens_of(["Time, too"], TokenSpec(letters_only=True)).to_list()[0][:5]
        [b't', b'i', b'm', b'e', b' ']
        >>> tokens_of(["Time, too"], TokenSpec("words")).to_list()
        [[b'Time', b',', b'too']]
    """
    texts = _plain(tf.convert_to_tensor(texts, tf.string), spec)
    if spec.kind == "words":
        apart = tf.strings.regex_replace(texts, r"([^\pL\pM\pN\s'’])", r" \1 ")
        return tf.strings.split(apart)
    if spec.kind == "bytes":
        return tf.strings.bytes_split(texts)
    return tf.strings.unicode_split(texts, "UTF-8")


def _plain(texts: tf.Tensor, spec: TokenSpec) -> tf.Tensor:
    """Returns the texts without what the tokens shall not have."""
    if spec.letters_only:
        others = "[^A-Za-z\n]+" if spec.drop_line_ends else "[^A-Za-z]+"
        texts = tf.strings.lower(tf.strings.regex_replace(texts, others, " "))
    if spec.drop_line_ends:
        between = " " if spec.kind == "words" else ""
        texts = tf.strings.regex_replace(texts, r"[ \t\r]*(\n[ \t\r]*)+", between)
    return texts


def stored_name(token: bytes, spec: TokenSpec) -> str:
    """Returns a token as the vocabulary stores it: as text, a byte as the character of its number.

    Args:
        token: the token as `tokens_of` returns it.
        spec: how a text becomes tokens.
    """
    return token.decode("latin-1" if spec.kind == "bytes" else "utf-8")


class Vocabulary:
    """The tokens that a model tells apart, by index; index 0 is every other token.

    Args:
        names: the tokens as `stored_name` writes them; the first one is `UNKNOWN`.
        spec: how a text becomes tokens.

    Example:
        >>> vocabulary = Vocabulary(["<unk>", "a", "b"], TokenSpec())
        >>> vocabulary.indices_of(["abc"]).to_list()
        [[1, 2, 0]]
        >>> vocabulary.text_of([[2, 1]]).numpy()
        array([b'ba'], dtype=object)
    """

    def __init__(self, names: Sequence[str], spec: TokenSpec):
        self.spec = spec
        encoding = "latin-1" if spec.kind == "bytes" else "utf-8"
        # A token of the text may be written like the name of the unknown token, if it is a word.
        self._tokens = [UNKNOWN.encode(), *(name.encode(encoding) for name in names[1:])]
        initializer = tf.lookup.KeyValueTensorInitializer(
            tf.constant(self._tokens[1:], tf.string, [len(names) - 1]),
            tf.range(1, len(names), dtype=tf.int32),
        )
        self._table = tf.lookup.StaticHashTable(initializer, default_value=0)

    @property
    def table(self) -> tf.lookup.StaticHashTable:
        """The table from tokens to indices, which a module must hold to be saved with it."""
        return self._table

    def indices_of(self, texts: Any) -> tf.RaggedTensor:
        """Returns the indices of the tokens of texts.

        Args:
            texts: strings `[N]`.

        Returns:
            int32, a ragged tensor `[N, (T)]`.
        """
        tokens = tokens_of(texts, self.spec)
        return tokens.with_flat_values(self._table.lookup(tokens.flat_values))

    def text_of(self, indices: Any) -> tf.Tensor:
        """Returns texts, strings `[N]`.

        Args:
            indices: int32 `[N, T]`, or a ragged tensor `[N, (T)]`.
        """
        tokens = tf.gather(tf.constant(self._tokens), indices)
        return tf.strings.reduce_join(tokens, axis=-1, separator=self.spec.separator)

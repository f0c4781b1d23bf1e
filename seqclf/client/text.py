"""`TextRequests`: the methods of a client that ask a language model."""

import abc
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic

from .arrays import A
from .nested_lists import to_nested_lists
from .options import ClientOptions


@dataclass(frozen=True)
class ScoredText:
    """How probable a text is for a language model, as a whole and token by token.

    Attributes:
        bits_per_character: how well it predicts the text; lower is better.
        log_probabilities: float32 `[T]`, the natural logarithm of the probability that it gave to
            each token before it read it; of the kind that the client's other answers are: a list,
            or an array of NumPy. The first token is not predicted: its number is 0.
        tokens: the T tokens of the text: str, or bytes of a model of bytes.
    """

    bits_per_character: float
    log_probabilities: Any
    tokens: tuple[Any, ...]


class TextRequests(abc.ABC, Generic[A]):
    """Requests to a language model, made of requests to its signatures.

    Attributes:
        options: the arguments of `connect`.
    """

    options: ClientOptions

    @abc.abstractmethod
    def predict(self, inputs: Any, signature: str = "serving_default") -> dict[str, A]:
        """Asks a predict signature; see the client's."""

    def generate(
        self,
        prefixes: Sequence[str],
        *,
        length: Any = 200,
        temperature: Any = 0.8,
        top_k: Any = 0,
        seed: Any = 0,
    ) -> list[Any]:
        """Asks a language model to write texts; `seqclf.generate` writes the same ones.

        Args:
            prefixes: what the N texts begin with.
            length: number of tokens to write after the prefix, up to 1,000. This and the others
                are one number, or N numbers, one for each text.
            temperature: the logits are divided by it; 0: the most probable token each time.
            top_k: each token is one of so many that are the most probable; 0: any.
            seed: the number from which the random draws of a text follow.

        Returns:
            The N texts: each prefix as the model reads it, and what follows; str, or bytes of a
            model of bytes.
        """
        texts = _listed(prefixes)
        options = {"length": length, "temperature": temperature, "top_k": top_k, "seed": seed}
        inputs = {}
        for name, value in options.items():
            numbers = to_nested_lists(value)
            inputs[name] = numbers if isinstance(numbers, list) else [numbers] * len(texts)
        outputs = self.predict({"prefix": texts, **inputs}, "generate")
        (written,) = outputs.values()
        return list(to_nested_lists(written))

    def score(self, texts: Sequence[str]) -> list[ScoredText]:
        """Asks a language model how probable texts are.

        Args:
            texts: N texts of two tokens or more each.
        """
        given, size = _listed(texts), self.options.max_batch
        scored: list[ScoredText] = []
        # The longest text of a request decides the shape of its outputs, so `predict` could not
        # join the answers of several requests.
        for begin in range(0, max(1, len(given)), size):
            scored += scored_texts(self.predict({"text": given[begin : begin + size]}, "score"))
        return scored


def scored_texts(outputs: Mapping[str, Any]) -> list[ScoredText]:
    """Returns the texts of one answer of the signature `score`."""
    name = "tokens" if "tokens" in outputs else "tokens_bytes"
    return [
        ScoredText(float(bits), logs[:count], tuple(to_nested_lists(tokens[:count])))
        for bits, logs, tokens, count in zip(
            outputs["bits_per_character"],
            outputs["log_probabilities"],
            outputs[name],
            to_nested_lists(outputs["token_count"]),
            strict=True,
        )
    ]


def _listed(texts: Any) -> list[Any]:
    """Returns texts as a list; one text is a list of one, and so is what `predict` will refuse."""
    several = isinstance(texts, Iterable) and not isinstance(texts, str | bytes | Mapping)
    return list(texts) if several else [texts]

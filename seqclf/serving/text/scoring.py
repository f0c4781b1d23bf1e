"""Scores text files: how probable each token was for a language model. It needs no TensorFlow."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seqclf.client.text import ScoredText, scored_texts
from seqclf.data.text.files import read_text
from seqclf.errors import DataError
from seqclf.serving.object_arrays import object_array
from seqclf.serving.text.asking import TextModel, TextRefused
from seqclf.serving.text.options import MAX_TOKENS


@dataclass(frozen=True)
class ScoredFile:
    """A text file, and how probable it is.

    Attributes:
        path: the file as the user names it.
        scored: the score of its text.
    """

    path: str
    scored: ScoredText

    @property
    def tokens(self) -> list[str]:
        """The tokens as text; bytes that are no UTF-8 alone are written as `\\xe9`."""
        return [
            token.decode("utf-8", "backslashreplace") if isinstance(token, bytes) else str(token)
            for token in self.scored.tokens
        ]

    @property
    def probabilities(self) -> np.ndarray:
        """float64 `[T]`, the probability of each token; NaN for the first, which none predicts."""
        probabilities: np.ndarray = np.exp(self.scored.log_probabilities.astype(np.float64))
        probabilities[0] = np.nan
        return probabilities

    def in_words(self) -> str:
        """Returns the line that the terminal shows."""
        scored = self.scored
        perplexity = np.exp(-scored.log_probabilities[1:].mean(dtype=np.float64))
        return (
            f"{self.path}  {scored.bits_per_character:.4f} bits per character, perplexity "
            f"{perplexity:.4g}, {len(scored.tokens):,} tokens"
        )

    def as_json(self) -> dict[str, Any]:
        """Returns the score as JSON values, with a list of T for tokens and for probabilities."""
        return {
            "input": self.path,
            "bits_per_character": self.scored.bits_per_character,
            "tokens": self.tokens,
            "probabilities": [None, *self.probabilities[1:].tolist()],
        }


def scored_files(paths: Iterable[str], model: TextModel) -> Iterator[ScoredFile]:
    """Yields each text file with its score.

    Args:
        paths: text files in UTF-8.
        model: the model that is asked.

    Raises:
        DataError: a file cannot be read or is no text, or it has fewer than two tokens, or too
            many.
        ExportError: the model fails.
    """
    for path in paths:
        if Path(path).expanduser().is_dir():
            raise DataError(f"{path} is a folder: name the text files in it, such as {path}/*.txt.")
        text, _ = read_text(path, "utf-8")
        try:
            outputs = model.ask("score", {"text": object_array([text.encode()])})
        except TextRefused as error:
            assert model.spec.tokens is not None
            raise DataError(
                f"{path}: a text must have 2 to {MAX_TOKENS:,} {model.spec.tokens.kind}: the first "
                f"is not predicted. Received: {len(text):,} characters. Divide a longer one into "
                "several files."
            ) from error
        (scored,) = scored_texts(outputs)
        yield ScoredFile(path, scored)

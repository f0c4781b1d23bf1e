"""`TokenSpec`: how a text becomes tokens; it needs no TensorFlow."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

KINDS = ("characters", "bytes", "words")
UNKNOWN = "<unk>"  # stands for every token that the vocabulary lacks; its index is 0


def characters_of(names: Sequence[str]) -> list[int]:
    """Returns the number of characters of each token of a vocabulary; 1 for the unknown token.

    Args:
        names: the tokens, the first of which is `UNKNOWN`.
    """
    return [1, *map(len, names[1:])]


@dataclass(frozen=True)
class TokenSpec:
    """How a text becomes tokens.

    Attributes:
        kind: what a token is: characters, bytes or words.
        letters_only: whether the text is lower-cased first, and all that is no letter of a to z
            becomes one space between words.
        drop_line_ends: whether line ends are dropped, with the white space beside them.
    """

    kind: str = "characters"
    letters_only: bool = False
    drop_line_ends: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {KINDS}. Received: {self.kind!r:.80}")
        for name in ("letters_only", "drop_line_ends"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name} must be a bool. Received: {getattr(self, name)!r:.80}")

    @property
    def separator(self) -> str:
        """The text between two tokens: a space between words, nothing between characters."""
        return " " if self.kind == "words" else ""

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> "TokenSpec":
        """Returns the spec whose fields these are.

        Raises:
            TypeError: a field is unknown.
            ValueError: a value is not what it must be.
        """
        return cls(**fields)

    def to_dict(self) -> dict[str, Any]:
        """Returns the fields by name."""
        return dataclasses.asdict(self)

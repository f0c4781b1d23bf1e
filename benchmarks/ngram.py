"""An interpolated Kneser-Ney model: how well counting alone predicts the tokens of a text.

Kneser & Ney 1995; in the interpolated form of Chen & Goodman 1999, with one discount for all
orders. It is the baseline that a language model has to beat.
"""

import math
from collections import defaultdict
from collections.abc import Sequence


class KneserNey:
    """An n-gram model of a text.

    Args:
        text: the tokens to count, integers from 0 to `size` - 1.
        order: n, the number of tokens of the longest n-grams.
        size: V, the number of different tokens.
        discount: D, what is taken from each count, from 0 to 1.

    Example:
        >>> model = KneserNey([0, 1] * 50, order=2, size=3, discount=0.5)
        >>> round(sum(model.probability([0], token) for token in range(3)), 9)
        1.0
        >>> model.probability([0], 1) > 0.9
        True
    """

    def __init__(self, text: Sequence[int], order: int, size: int, discount: float = 0.75):
        self._order, self._size, self._discount = order, size, discount
        # For each length of context: context -> token -> count. The longest counts occurrences;
        # a shorter one counts the different tokens that were seen before the n-gram.
        self._counts: list[dict[tuple[int, ...], dict[int, int]]] = [
            defaultdict(lambda: defaultdict(int)) for _ in range(order)
        ]
        seen: list[set[tuple[int, ...]]] = [set() for _ in range(order)]
        for end in range(len(text)):
            for length in range(min(order - 1, end), -1, -1):
                *context, token = text[end - length : end + 1]
                whole = tuple(text[max(0, end - length - 1) : end + 1])
                if length < order - 1 and whole in seen[length]:
                    continue
                seen[length].add(whole)
                self._counts[length][tuple(context)][token] += 1

    def probability(self, context: Sequence[int], token: int) -> float:
        """Returns the probability of a token after those of `context`, of which the last count."""
        result = 1 / self._size
        longest = min(self._order - 1, len(context))
        for length in range(longest + 1):
            counts = self._counts[length].get(tuple(context[len(context) - length :]))
            if not counts:
                break
            total = sum(counts.values())
            own = max(counts.get(token, 0) - self._discount, 0) / total
            result = own + self._discount * len(counts) / total * result
        return result

    def bits(self, text: Sequence[int], first: int) -> float:
        """Returns the mean cross-entropy in bits of the tokens from `first` on."""
        start = self._order - 1
        logs = [
            math.log2(self.probability(text[max(0, i - start) : i], text[i]))
            for i in range(first, len(text))
        ]
        return -sum(logs) / len(logs)

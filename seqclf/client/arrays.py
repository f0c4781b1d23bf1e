"""`Arrays`: how a client holds tensors. The rest of the client does not know which way it is.

`seqclf.client` (the distribution seqclf-client) holds them as nested lists: see `nested_lists`.
`seqclf.serving.client` holds them as arrays of NumPy.
"""

import abc
from collections.abc import Sequence
from typing import Any, Generic, Protocol, TypeVar


class Rows(Protocol):
    """The operations that every kind of array has: its length, and its parts by a slice."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> Any: ...


A = TypeVar("A", bound=Rows)  # a tensor, such as a list of lists or an array of NumPy


class Arrays(abc.ABC, Generic[A]):
    """The operations on tensors that a client needs."""

    @abc.abstractmethod
    def numbers(self, value: Any) -> A:
        """Converts nested sequences to a tensor; `kind` tells what is in it.

        Raises:
            ValueError: sequences of one level have different lengths.
        """

    @abc.abstractmethod
    def objects(self, value: Any) -> A:
        """Converts nested lists of bytes or str to a tensor.

        Raises:
            ValueError: lists of one level have different lengths.
        """

    @abc.abstractmethod
    def whole(self, value: Any) -> A | None:
        """Returns a value that is a tensor of numbers already; None for any other."""

    @abc.abstractmethod
    def shape(self, array: A) -> tuple[int, ...]:
        """Returns the shape."""

    @abc.abstractmethod
    def kind(self, array: A) -> str:
        """Returns b (bool), i, u (integers), f (floats), or another letter for anything else."""

    @abc.abstractmethod
    def type_name(self, array: A) -> str:
        """Returns the name of the type for messages, such as float64."""

    @abc.abstractmethod
    def limits(self, array: A) -> tuple[int, int]:
        """Returns the lowest and the highest of some integers, one at least."""

    @abc.abstractmethod
    def cast(self, array: A, dtype: str) -> A:
        """Converts numbers, whose kind and range fit, to a dtype.

        Args:
            array: the numbers.
            dtype: NumPy's name of the dtype.
        """

    @abc.abstractmethod
    def padded(self, sequences: Sequence[A]) -> A:
        """Returns sequences `[T_i, …]` as one tensor `[N, T, …]`, with zeros behind each."""

    @abc.abstractmethod
    def first_steps(self, array: A, steps: int) -> A:
        """Returns the first time steps of `[N, T, …]`."""

    @abc.abstractmethod
    def concatenated(self, arrays: Sequence[A]) -> A:
        """Returns tensors `[N_i, …]` as one.

        Raises:
            ValueError: their shapes differ beyond the first dimension.
        """

    @abc.abstractmethod
    def to_lists(self, array: A) -> Any:
        """Converts a tensor to nested lists."""

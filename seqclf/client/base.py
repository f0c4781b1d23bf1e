"""`BaseClient`: what all clients share: batches, time-outs, retries, signatures."""

import abc
import random
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, TypeVar

from .address import Address
from .arrays import A, Arrays
from .errors import (
    BadAnswer,
    ConfigError,
    DeadlineExceeded,
    InputWarning,
    InvalidRequest,
    NotFound,
    ServingError,
    Unavailable,
)
from .options import Budget, ClientOptions
from .sequences import named_inputs
from .status import VersionStatus
from .tensors import Features, Signature, as_features, as_inputs, concatenate_batches
from .text import TextRequests

FIRST_PAUSE = 0.1  # seconds before the first repetition; doubled before each further one
LONGEST_PAUSE = 2.0  # seconds
POLL_SECONDS = 0.2  # between two requests for the status of a server that isn't ready
INIT_SIGNATURE = "__saved_model_init_op"  # only the loader can call it
METADATA_KEY = "seqclf"  # of the facts in a server's metadata; TensorFlow Serving has no such key

T = TypeVar("T")
C = TypeVar("C", bound="BaseClient[Any]")
Classification = list[tuple[str, float]]


@dataclass(frozen=True)
class Prepared(Generic[A]):
    """The tensors of a request, made from the inputs of a user.

    Attributes:
        arrays: tensors `[N, …]` by the names of the signature's inputs.
        warnings: sentences about inputs that the model probably misreads.
        ids: `[N]` strings, names of the examples for the answer; None if they have none.
    """

    arrays: dict[str, A]
    warnings: tuple[str, ...] = ()
    ids: A | None = None


class BaseClient(TextRequests[A]):
    """A model on a server. `connect` makes a client; several threads may share it.

    All methods raise a `ServingError` if the server cannot be asked or refuses; its subclass tells
    the kind of error.

    Args:
        address: parts of the model's URL.
        options: the arguments of `connect`.

    Attributes:
        arrays: the kind of tensors that it takes and gives.
        address: parts of the model's URL.
        options: the arguments of `connect`.
    """

    arrays: Arrays[A]

    def __init__(self, address: Address, options: ClientOptions):
        if options.has_tls_files and not address.is_secure:
            raise ConfigError(
                "`ca_file`, `client_cert` and `client_key` are for https:// and grpcs:// only. "
                f"Received: {address.url!r}"
            )
        self.address = address
        self.options = options
        self._signatures: dict[str, Signature] | None = None
        self._closed = False
        self._secrets = [  # a shorter text is no secret and would be found in other words
            text
            for value in options.headers.values()
            for text in (value, *value.split())
            if len(text) >= 8
        ]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.address.url}>"

    def predict(self, inputs: Any, signature: str = "serving_default") -> dict[str, A]:
        """Asks a predict signature.

        Args:
            inputs: tensors `[N, …]` by name, as nested lists or arrays; bytes or str for an input
                of strings. Or, without a name, the value of the input `inputs` or of the only one.
                Sequences whose lengths vary may come without `lengths`: then all time steps are
                valid, and a list of sequences `[T_i, D]` is padded. A client of `seqclf.connect`
                also takes a data frame (pandas, polars, Arrow) with the columns of the training
                table, which the model's `facts` must have.
            signature: name of the signature.

        Returns:
            Outputs `[N, …]` by name: nested lists of numbers, of str, or of bytes if the output's
            name ends in `_bytes`. A client of `seqclf.connect` gives arrays of NumPy (object arrays
            of str and bytes), and for a data frame also `id`, the ids of its sequences.

        Warns:
            InputWarning: in a client of `seqclf.connect`: `lengths` do not fit the padding of the
                sequences, values are far outside the range of the training inputs (where `facts`
                has it), or a data frame has columns that are not read.
        """
        budget = Budget(self.options.timeout)
        known = self._signatures
        try:
            return self._predict_all(inputs, signature, budget)
        except (InvalidRequest, BadAnswer):
            # The server may have gone on to a version with other inputs or outputs. If not, the
            # same request would fail again.
            if known is None or not self._has_changed(known, budget):
                raise
            return self._predict_all(inputs, signature, budget)

    def classify(
        self, examples: Sequence[Mapping[str, Any]], signature: str = "classify"
    ) -> list[Classification]:
        """Asks a classify signature.

        Args:
            examples: N examples, each a mapping from a feature's name to numbers, bytes or str.
            signature: name of the signature.

        Returns:
            A list of (class, score) for each example.
        """
        budget = Budget(self.options.timeout)
        try:
            features = [as_features(example) for example in examples]
            if not features:
                raise ValueError("there must be at least one example. Received: none")
        except ValueError as error:
            raise InvalidRequest(self.address.url, str(error)) from error
        answers: list[Classification] = []
        for part in self._parts(len(features)):
            answer = self._classify(features[part], signature, budget)
            if len(answer) != len(features[part]):
                raise self._bad(f"{len(answer)} answers to {len(features[part])} examples")
            answers += answer
        return answers

    def metadata(self) -> dict[str, Signature]:
        """Asks the server for the model's signatures and returns them by name."""
        return self._known(Budget(self.options.timeout), anew=True)

    def status(self) -> list[VersionStatus]:
        """Returns the state of each version; only an AVAILABLE one gives predictions."""
        return self._status(Budget(self.options.timeout))

    def wait_until_available(self, seconds: float) -> None:
        """Waits until a version is AVAILABLE: the one that the URL names, or any.

        Args:
            seconds: longest time to wait.

        Raises:
            DeadlineExceeded: no version became AVAILABLE in that time.
        """
        budget = Budget(seconds)
        waiting: tuple[type[ServingError], ...] = (Unavailable, NotFound, DeadlineExceeded)
        if self.address.label:  # the server calls a label without a version an invalid argument
            waiting = (*waiting, InvalidRequest)
        last = "it was not asked"
        while (left := budget.left()) > 0:
            try:
                versions = self._status(Budget(min(left, self.options.timeout)))
                if any(version.state == "AVAILABLE" for version in versions):
                    return
                last = ", ".join(
                    f"version {v.version} is {v.state}" + (f" ({v.error})" if v.error else "")
                    for v in versions
                )
            except waiting as error:
                last = error.said
            time.sleep(max(0.0, min(POLL_SECONDS, budget.left())))
        raise DeadlineExceeded(
            self.address.url,
            f"not available within {seconds:g} s: {last or 'it has no version'}",
            "The server's log says more.",
        )

    def close(self) -> None:
        """Closes the connections; the client cannot be used afterwards."""
        self._closed = True

    def __enter__(self: C) -> C:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _prepare(self, inputs: Any, signature: Signature) -> Prepared[A]:
        """Returns what is sent for the inputs; a ValueError tells why they do not fit."""
        named = named_inputs(inputs, signature, self.arrays)
        return Prepared(as_inputs(named, signature, self.arrays))

    def _note_facts(self, facts: Any) -> None:
        """Takes what the metadata of a server say of the training data; None: nothing."""

    @abc.abstractmethod
    def _predict(
        self, inputs: dict[str, A], name: str, signature: Signature, budget: Budget
    ) -> dict[str, A]:
        """Sends one batch to a predict signature; returns the outputs by name."""

    @abc.abstractmethod
    def _classify(
        self, examples: list[Features], name: str, budget: Budget
    ) -> list[Classification]:
        """Sends one batch to a classify signature."""

    @abc.abstractmethod
    def _metadata(self, budget: Budget) -> dict[str, Signature]:
        """Asks for the signatures."""

    @abc.abstractmethod
    def _status(self, budget: Budget) -> list[VersionStatus]:
        """Asks for the states of the versions."""

    def _predict_all(self, inputs: Any, name: str, budget: Budget) -> dict[str, A]:
        known = self._known(budget)
        try:
            if name not in known:
                raise ValueError(f"`signature` must be one of {sorted(known)}. Received: {name!r}")
            prepared = self._prepare(inputs, known[name])
        except ValueError as error:
            raise InvalidRequest(self.address.url, str(error)) from error
        arrays = prepared.arrays
        for warning in prepared.warnings:
            warnings.warn(f"{self.address.url}: {warning}.", InputWarning, stacklevel=3)
        size = len(next(iter(arrays.values())))
        answers = []
        for part in self._parts(size):
            batch = {key: array[part] for key, array in arrays.items()}
            answer = self._predict(batch, name, known[name], budget)
            self._check(answer, known[name], len(range(size)[part]))
            answers.append({key: answer[key] for key in sorted(answer)})
        try:
            outputs = concatenate_batches(answers, self.arrays)
        except ValueError as error:
            raise self._bad(f"answers of different shapes ({error})") from error
        return outputs if prepared.ids is None else outputs | {"id": prepared.ids}

    def _check(self, answer: dict[str, A], signature: Signature, size: int) -> None:
        if set(answer) != set(signature.outputs):
            raise self._bad(f"outputs {sorted(answer)} instead of {sorted(signature.outputs)}")
        for key, array in answer.items():
            shape = self.arrays.shape(array)
            if shape[:1] != (size,):
                raise self._bad(f"`{key}` of shape {list(shape)} for {size} examples")

    def _parts(self, size: int) -> list[slice]:
        step = self.options.max_batch
        return [slice(start, start + step) for start in range(0, size, step)]

    def _known(self, budget: Budget, anew: bool = False) -> dict[str, Signature]:
        signatures = self._signatures
        if signatures is None or anew:
            signatures = self._metadata(budget)
            signatures.pop(INIT_SIGNATURE, None)
            self._signatures = signatures
        return signatures

    def _has_changed(self, known: dict[str, Signature], budget: Budget) -> bool:
        try:
            return self._known(budget, anew=True) != known
        except ServingError:
            return False

    def _attempts(self, send: Callable[[float], T], budget: Budget) -> T:
        """Calls `send(seconds left)` until it succeeds, fails for good, or the time is up."""
        if self._closed:
            raise ValueError("This client is closed.")
        for attempt in range(1, self.options.retries + 2):
            left = budget.left()
            if left <= 0:
                raise DeadlineExceeded(self.address.url, f"no time left of {budget.seconds:g} s")
            try:
                return send(left)
            except ServingError as error:
                error.attempts = attempt
                if error.retry_after is None or attempt > self.options.retries:
                    raise
                longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (attempt - 1))
                # Random, so that clients that failed together don't come back together.
                pause = max(error.retry_after, random.uniform(longest / 2, longest))
                if pause >= budget.left():
                    raise  # the server's own error tells more than a time-out
            time.sleep(pause)
        raise AssertionError("unreachable")

    def _bad(self, what: str) -> BadAnswer:
        return BadAnswer(self.address.url, f"an answer that was not expected: {self._clean(what)}")

    def _clean(self, text: str) -> str:
        """Returns a server's message as one line, cut, and without secrets from the headers."""
        for secret in self._secrets:
            text = text.replace(secret, "…")
        text = " ".join(text.split())
        return text if len(text) <= 1000 else text[:1000] + " …"

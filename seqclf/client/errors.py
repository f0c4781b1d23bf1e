"""The errors of a client: one class for each thing that the caller can do about it.

`SeqclfError` and `ConfigError` are the bases that all of seqclf shares; the rest of seqclf takes
them from `seqclf.errors`. They are defined here because this package is also a distribution of its
own, which knows nothing of seqclf.
"""
# ruff: noqa: N818 (named as gRPC names its codes)

UNKNOWN_LABEL = "Unrecognized servable version label"  # in the server's message, status 400


class SeqclfError(Exception):
    """Base class: something that the user gave cannot be used; the message says what to do.

    Attributes:
        exit_status: status with which a command ends (2: wrong call, 1: anything else).
    """

    exit_status = 1


class ConfigError(SeqclfError, ValueError):
    """A config key, a flag or an argument is unknown, of the wrong type or out of range."""

    exit_status = 2


class InputWarning(UserWarning):
    """Inputs that the model accepts but probably misreads."""


class ServingError(SeqclfError):
    """A server could not be asked, or it sent an error.

    Args:
        target: URL of the model.
        said: message of the server, or of the connection to it.
        advice: what to do; by default the advice of the class.
        retry_after: seconds after which the same request may succeed; None means that it would
            fail again.

    Attributes:
        target: URL of the model.
        said: message of the server.
        advice: what to do.
        retry_after: seconds after which the same request may succeed, or None.
        attempts: number of times that the request was sent.
    """

    default_advice = ""

    def __init__(self, target: str, said: str, advice: str = "", retry_after: float | None = None):
        super().__init__(target, said, advice, retry_after)  # all of them, or it can't be pickled
        self.target = target
        self.said = said
        self.advice = advice or self.default_advice
        self.retry_after = retry_after
        self.attempts = 1

    def __str__(self) -> str:
        times = f" (asked {self.attempts} times)" if self.attempts > 1 else ""
        return f"{self.target}: {self.said.rstrip('.')}{times}. {self.advice}".rstrip()


class InvalidRequest(ServingError, ValueError):
    """400, 413, INVALID_ARGUMENT, FAILED_PRECONDITION, or a mistake found before sending."""

    default_advice = "The client's metadata() lists what the model takes."


class NotFound(ServingError):
    """404 or NOT_FOUND, or a label that is not set: no such model, version or label."""

    default_advice = (
        "Check the model's name, version or label in the address, and in the server's log that "
        "it's loaded, and that it is TensorFlow Serving that answers there."
    )


class Unauthorized(ServingError):
    """401, 403, 407, UNAUTHENTICATED, PERMISSION_DENIED: the server wants other credentials."""

    default_advice = "Check the Authorization header or the client's certificate."


class Unavailable(ServingError):
    """429, 502, 503, UNAVAILABLE, RESOURCE_EXHAUSTED, no connection, or no such host."""

    default_advice = (
        "Check that the server runs at this address; while it loads a model or is busy, try again "
        "later."
    )


class DeadlineExceeded(ServingError):
    """408, 504, DEADLINE_EXCEEDED, or the time of the call is up."""

    default_advice = "Give the call more time (timeout) or fewer examples."


class ServerFailed(ServingError):
    """500, 501, INTERNAL, UNIMPLEMENTED, or another failure of the server itself."""

    default_advice = "The server's log says more."


class BadAnswer(ServingError):
    """The response is not one of TensorFlow Serving: a proxy's page, or other outputs."""

    default_advice = "Check that TensorFlow Serving, and no other server, answers at this address."

"""`Fault`: the reason why a request fails, and the status code that the client gets."""

import asyncio

import tensorflow as tf

from seqclf.serving.graph_errors import message_of

# Canonical code → HTTP status, as TensorFlow Serving maps them (util/net_http, http_server.cc).
HTTP_STATUS = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "ABORTED": 409,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "UNKNOWN": 500,
    "INTERNAL": 500,
    "DATA_LOSS": 500,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
MAX_MESSAGE_LENGTH = 500  # in characters; a message may quote a value, which may be a whole image


class Fault(Exception):  # noqa: N818 (a response of the server, not an error of the server)
    """A request that cannot be served.

    Args:
        code: canonical code, a key of `HTTP_STATUS`.
        message: explanation for the client; it is cut after `MAX_MESSAGE_LENGTH` characters.
        status: HTTP status; 0 takes the one that belongs to the code.

    Attributes:
        code: the canonical code.
        message: the explanation, cut.
        status: the HTTP status.
    """

    def __init__(self, code: str, message: str, status: int = 0):
        if len(message) > MAX_MESSAGE_LENGTH:
            message = message[:MAX_MESSAGE_LENGTH] + " …"
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status or HTTP_STATUS[code]


def invalid(message: str) -> Fault:
    """Returns an INVALID_ARGUMENT fault: the client must change the request."""
    return Fault("INVALID_ARGUMENT", message)


def fault_from_error(error: BaseException) -> Fault:
    """Converts any exception into the fault that the client gets."""
    if isinstance(error, Fault):
        return error
    if isinstance(error, tf.errors.OpError):
        return Fault(_canonical_code(error), message_of(error))
    if isinstance(error, asyncio.CancelledError):
        return Fault("CANCELLED", "The client hung up.")
    if isinstance(error, TimeoutError):
        return Fault("DEADLINE_EXCEEDED", "The request took longer than the server allows.")
    return Fault("INTERNAL", f"{type(error).__name__}: {error}")


def _canonical_code(error: tf.errors.OpError) -> str:
    names = {getattr(tf.errors, name): name for name in HTTP_STATUS if hasattr(tf.errors, name)}
    return names.get(error.error_code, "UNKNOWN")

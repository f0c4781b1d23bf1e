"""`connect`: a client for TensorFlow Serving over REST or gRPC, with the same answers from both.

    with connect("http://localhost:8501/v1/models/seqclf") as client:
        client.predict({"inputs": pictures})["class_name"]

REST needs neither TensorFlow nor grpc, so that a short command doesn't wait seconds for them; the
gRPC half is imported when a grpc:// address asks for it.
"""

from collections.abc import Mapping

from seqclf.serving.batching import MAX_BATCH_SIZE
from seqclf.serving.client.address import parse
from seqclf.serving.client.base import Client, VersionStatus
from seqclf.serving.client.errors import (
    BadAnswer,
    DeadlineExceeded,
    InvalidRequest,
    NotFound,
    ServerFailed,
    ServingError,
    Unauthorized,
    Unavailable,
)
from seqclf.serving.client.options import ClientOptions
from seqclf.serving.client.tensors import Signature, TensorInfo

__all__ = [
    "BadAnswer",
    "Client",
    "DeadlineExceeded",
    "InvalidRequest",
    "NotFound",
    "ServerFailed",
    "ServingError",
    "Signature",
    "TensorInfo",
    "Unauthorized",
    "Unavailable",
    "VersionStatus",
    "connect",
]


def connect(
    url: str,
    *,
    timeout: float = 10.0,
    retries: int = 3,
    max_batch: int = MAX_BATCH_SIZE,
    headers: Mapping[str, str] | None = None,
    ca_file: str | None = None,
    client_cert: str | None = None,
    client_key: str | None = None,
) -> Client:
    """Returns a client for one model; nothing is sent yet.

    Args:
        url: `http://HOST:8501/v1/models/NAME` or `grpc://HOST:8500/NAME`, either followed by
            `/versions/N` or `/labels/L` if wanted; https:// and grpcs:// for TLS. Without a path
            the model is `seqclf`.
        timeout: seconds for a whole call: all its batches, attempts and pauses together.
        retries: how often a request is repeated when the server is away or too busy (refused or
            broken connections, 429, 503, UNAVAILABLE, RESOURCE_EXHAUSTED); nothing else is
            repeated.
        max_batch: examples sent at once; more are sent one batch after the other.
        headers: sent with every request; metadata with gRPC, where names become lower case.
        ca_file: PEM file of the authorities to trust instead of the system's.
        client_cert: PEM file of the client's certificate, for servers that ask for one.
        client_key: PEM file of its key; by default it's in `client_cert`.

    Raises:
        ConfigError: an argument cannot be used.
    """
    address = parse(url)
    options = ClientOptions(
        timeout, retries, max_batch, dict(headers or {}), ca_file, client_cert, client_key
    )
    if address.is_grpc:
        from seqclf.serving.client.grpc_client import GrpcClient

        return GrpcClient(address, options)
    from seqclf.serving.client.rest import RestClient

    return RestClient(address, options)

"""A client for models that TensorFlow Serving or `seqclf.serve` serve, over REST.

    with connect("http://localhost:8501/v1/models/seqclf") as client:
        client.predict({"inputs": sequences})["class_name"]

It needs urllib3 alone: no TensorFlow, no NumPy. This folder is the package `seqclf_client` of the
distribution seqclf-client (`clients/python/`), and the package `seqclf.client` of seqclf. Therefore
its modules import each other by relative names, and nothing else of seqclf. `seqclf.serving.client`
is built on it: its client gives arrays of NumPy, takes data frames, and speaks gRPC too.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .address import parse_address
from .errors import (
    BadAnswer,
    ConfigError,
    DeadlineExceeded,
    InvalidRequest,
    NotFound,
    SeqclfError,
    ServerFailed,
    ServingError,
    Unauthorized,
    Unavailable,
)
from .options import MAX_BATCH_SIZE, ClientOptions
from .status import VersionStatus
from .tensors import Signature, TensorInfo
from .text import ScoredText

if TYPE_CHECKING:
    from .client import Client

__all__ = [
    "BadAnswer",
    "Client",
    "ConfigError",
    "DeadlineExceeded",
    "InvalidRequest",
    "NotFound",
    "ScoredText",
    "SeqclfError",
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
) -> "Client":
    """Returns a client for one model, without sending anything yet.

    Args:
        url: URL of the model: `http://HOST:8501/v1/models/NAME`, with `/versions/N` or `/labels/L`
            at its end to choose a version; https:// uses TLS. Without a path the model is `seqclf`.
        timeout: seconds that a whole call may take: all its batches, attempts and pauses together.
        retries: number of times that a request is repeated if the server is away or too busy
            (refused or broken connections, 429, 503). After any other error no request is repeated.
        max_batch: largest number of examples in one request; more are sent in several requests,
            one after the other.
        headers: headers of every request.
        ca_file: PEM file of the certificate authorities to trust instead of the system's.
        client_cert: PEM file of the client's certificate, for servers that ask for one.
        client_key: PEM file of the certificate's key; by default `client_cert` holds it too.

    Raises:
        ConfigError: an argument cannot be used.
    """
    from .client import Client

    address = parse_address(url)
    if address.is_grpc:
        raise ConfigError(
            "This client speaks REST alone: give http://HOST:8501/v1/models/NAME or https://…. "
            f"For gRPC there is `seqclf.connect`, of the package seqclf. Received: {url!r}"
        )
    options = ClientOptions(
        timeout, retries, max_batch, dict(headers or {}), ca_file, client_cert, client_key
    )
    return Client(address, options)


def __getattr__(name: str) -> Any:
    if name == "Client":  # when it is used: seqclf takes its errors from here, without urllib3
        from .client import Client

        return Client
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

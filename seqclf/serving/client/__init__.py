"""`connect`: a client for TensorFlow Serving; REST and gRPC give the same results.

    with connect("http://localhost:8501/v1/models/seqclf") as client:
        client.predict({"inputs": images})["class_name"]

Built on `seqclf.client`, which asks over REST and holds tensors as nested lists. Here are arrays of
NumPy, data frames, warnings about doubtful inputs, and gRPC. The REST client needs neither
TensorFlow nor grpc, so that a short command doesn't wait seconds for them. The gRPC client is
imported only for a grpc:// or grpcs:// URL.
"""

from collections.abc import Mapping

from seqclf.client.address import parse_address
from seqclf.client.errors import (
    BadAnswer,
    DeadlineExceeded,
    InputWarning,
    InvalidRequest,
    NotFound,
    ServerFailed,
    ServingError,
    Unauthorized,
    Unavailable,
)
from seqclf.client.options import MAX_BATCH_SIZE
from seqclf.client.status import VersionStatus
from seqclf.client.tensors import Signature, TensorInfo
from seqclf.client.text import ScoredText
from seqclf.serving.client.base import Client
from seqclf.serving.client.options import ClientOptions, load_facts
from seqclf.serving.model_facts import ModelFacts

__all__ = [
    "BadAnswer",
    "Client",
    "DeadlineExceeded",
    "InputWarning",
    "InvalidRequest",
    "NotFound",
    "ScoredText",
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
    manifest: str | None = None,
) -> Client:
    """Returns a client for one model, without sending anything yet.

    Args:
        url: URL of the model: `http://HOST:8501/v1/models/NAME` or `grpc://HOST:8500/NAME`, either
            with `/versions/N` or `/labels/L` at its end to choose a version; https:// and grpcs://
            use TLS. Without a path the model is `seqclf`.
        timeout: seconds that a whole call may take: all its batches, attempts and pauses together.
        retries: number of times that a request is repeated if the server is away or too busy
            (refused or broken connections, 429, 503, UNAVAILABLE, RESOURCE_EXHAUSTED). After any
            other error no request is repeated.
        max_batch: largest number of examples in one request; more are sent in several requests,
            one after the other.
        headers: headers of every request; metadata with gRPC, where names become lower case.
        ca_file: PEM file of the certificate authorities to trust instead of the system's.
        client_cert: PEM file of the client's certificate, for servers that ask for one.
        client_key: PEM file of the certificate's key; by default `client_cert` holds it too.
        manifest: `assets.extra/manifest.json` of the served version, or a copy of it. With it an
            `InputWarning` tells that inputs are far outside the range of the training inputs, and
            data frames can be sent. The local server tells what this file says; TensorFlow Serving
            cannot be asked for it.

    Raises:
        ConfigError: an argument cannot be used.
    """
    address = parse_address(url)
    options = ClientOptions(
        timeout,
        retries,
        max_batch,
        dict(headers or {}),
        ca_file,
        client_cert,
        client_key,
        ModelFacts() if manifest is None else load_facts(manifest),
    )
    if address.is_grpc:
        from seqclf.serving.client.grpc_client import GrpcClient

        return GrpcClient(address, options)
    from seqclf.serving.client.rest import RestClient

    return RestClient(address, options)

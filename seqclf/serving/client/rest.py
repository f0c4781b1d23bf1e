"""The REST half of the client: urllib3 and JSON, without TensorFlow and grpc."""

import http.client
import json
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import quote

import numpy as np
import urllib3
from urllib3 import exceptions as http_errors

from seqclf.serving.client.address import Address
from seqclf.serving.client.base import Classification, Client, VersionStatus
from seqclf.serving.client.errors import (
    UNKNOWN_LABEL,
    BadAnswer,
    DeadlineExceeded,
    InvalidRequest,
    NotFound,
    ServerFailed,
    ServingError,
    Unauthorized,
    Unavailable,
)
from seqclf.serving.client.json_values import b64, error_text, from_json, infos, page, to_json
from seqclf.serving.client.options import Budget, ClientOptions
from seqclf.serving.client.tensors import Features, Signature

CONNECTIONS = 64  # kept open for as many threads; urllib3 complains of more
STATUSES: dict[int, type[ServingError]] = {
    401: Unauthorized,
    403: Unauthorized,
    404: NotFound,
    407: Unauthorized,
    408: DeadlineExceeded,
    429: Unavailable,
    502: Unavailable,
    503: Unavailable,
    504: DeadlineExceeded,
}
REPEATED = (429, 503)
TLS_ADVICE = "Check that this port speaks TLS, and `ca_file` and `client_cert`."

T = TypeVar("T")


class RestClient(Client):
    """Speaks the REST of TensorFlow Serving; `connect` makes one."""

    def __init__(self, address: Address, options: ClientOptions):
        super().__init__(address, options)
        path = f"{address.prefix}/v1/models/{quote(address.model, safe='')}"
        if address.version is not None:
            path += f"/versions/{address.version}"
        elif address.label:
            path += f"/labels/{quote(address.label, safe='')}"
        self._path = path
        self._headers = {"Content-Type": "application/json", **options.headers}
        self._pool: urllib3.HTTPConnectionPool
        if address.is_secure:
            self._pool = urllib3.HTTPSConnectionPool(
                address.host, address.port, maxsize=CONNECTIONS, ssl_context=options.tls_context()
            )
        else:
            self._pool = urllib3.HTTPConnectionPool(address.host, address.port, maxsize=CONNECTIONS)

    def close(self) -> None:
        super().close()
        self._pool.close()

    def _predict(
        self, inputs: dict[str, np.ndarray], name: str, signature: Signature, budget: Budget
    ) -> dict[str, np.ndarray]:
        columns = {key: to_json(array) for key, array in inputs.items()}
        body = {"signature_name": name, "inputs": columns}
        outputs = self._post(":predict", body, "outputs", budget)
        if not isinstance(outputs, dict):  # a signature's only output comes without its name
            if len(signature.outputs) != 1:
                raise self._bad(f"one output instead of {sorted(signature.outputs)}")
            outputs = {next(iter(signature.outputs)): outputs}
        answer = {}
        for key, value in outputs.items():
            info = signature.outputs.get(key)  # that none is missing or too many is checked later
            try:
                answer[key] = from_json(key, value, info) if info else np.empty(0)
            except (ValueError, TypeError, OverflowError) as error:
                raise self._bad(f"{key}: {error}") from error
        return answer

    def _classify(
        self, examples: list[Features], name: str, budget: Budget
    ) -> list[Classification]:
        rows = [
            {
                key: [b64(v) if isinstance(v, bytes) else v for v in values]
                for key, values in example.items()
            }
            for example in examples
        ]
        body = {"signature_name": name, "examples": rows}
        results = self._post(":classify", body, "results", budget)
        try:
            # As float32, which the model has computed and gRPC sends.
            return [
                [(str(label), float(np.float32(score))) for label, score in row] for row in results
            ]
        except (ValueError, TypeError) as error:
            raise self._bad(f"results that are no pairs of label and score: {error}") from error

    def _metadata(self, budget: Budget) -> dict[str, Signature]:
        answer = self._ask("GET", "/metadata", None, budget)
        try:
            signatures = answer["metadata"]["signature_def"]["signature_def"]
            return {
                name: Signature(infos(value.get("inputs")), infos(value.get("outputs")))
                for name, value in sorted(signatures.items())
            }
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._bad(f"metadata without signatures ({error!r})") from error

    def _status(self, budget: Budget) -> list[VersionStatus]:
        answer = self._ask("GET", "", None, budget)
        try:
            versions = []
            for entry in answer["model_version_status"]:
                status = entry.get("status", {})
                code = status.get("error_code", "OK")
                error = "" if code == "OK" else status.get("error_message") or str(code)
                versions.append(VersionStatus(int(entry["version"]), str(entry["state"]), error))
            return versions
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._bad(f"a status without versions ({error!r})") from error

    def _post(self, verb: str, body: Any, key: str, budget: Budget) -> Any:
        text = json.dumps(body, separators=(",", ":")).encode()
        answer = self._ask("POST", verb, text, budget)
        if not isinstance(answer, dict) or key not in answer:
            raise self._bad(f"no `{key}` in it")
        return answer[key]

    def _ask(self, method: str, verb: str, body: bytes | None, budget: Budget) -> Any:
        def send(left: float) -> Any:
            return self._decode(self._request(method, self._path + verb, body, left))

        return self._attempts(send, budget)

    def _request(
        self, method: str, path: str, body: bytes | None, left: float
    ) -> urllib3.BaseHTTPResponse:
        url = self.address.url
        try:
            return _within(
                left,
                lambda: self._pool.urlopen(
                    method,
                    path,
                    body=body,
                    headers=self._headers,
                    timeout=urllib3.Timeout(total=left),
                    retries=False,  # nor follows it redirections then
                ),
            )
        except http_errors.NewConnectionError as error:  # a kind of time-out to urllib3
            said = f"no connection: {_reason(error)}"
            raise Unavailable(url, said, retry_after=0.0) from error
        except (http_errors.TimeoutError, TimeoutError) as error:
            raise DeadlineExceeded(url, f"no answer within {left:.3g} s") from error
        except http_errors.SSLError as error:
            said = f"no secure connection: {self._clean(_reason(error))}"
            raise Unavailable(url, said, TLS_ADVICE) from error
        except http_errors.ProtocolError as error:
            if _is_no_http(error):
                said = "no HTTP was spoken there"
                raise BadAnswer(url, said, "Check that it's the REST port, not gRPC's.") from error
            said = f"the connection broke: {self._clean(_reason(error))}"
            raise Unavailable(url, said, retry_after=0.0) from error
        except http_errors.HTTPError as error:
            raise self._bad(str(error)) from error

    def _decode(self, response: urllib3.BaseHTTPResponse) -> Any:
        status, text = response.status, response.data
        if status // 100 == 2:
            try:
                return json.loads(text)
            except ValueError as error:  # UnicodeDecodeError is one too
                raise self._bad(f"{status} and no JSON but {page(text)!r}") from error
        if status // 100 in (1, 3):
            place = response.headers.get("Location", "nowhere")
            raise self._bad(f"{status}, a redirection to {place}")
        kind = STATUSES.get(status, InvalidRequest if status // 100 == 4 else ServerFailed)
        retry_after = None
        if status in REPEATED:
            try:
                retry_after = urllib3.Retry().get_retry_after(response) or 0.0
            except http_errors.InvalidHeader:
                retry_after = 0.0
        said = self._clean(f"{status} {error_text(text)}")
        if kind is InvalidRequest and UNKNOWN_LABEL in said:
            kind = NotFound
        raise kind(self.address.url, said, retry_after=retry_after)


def _within(seconds: float, call: Callable[[], T]) -> T:
    """Calls, but waits no longer than that.

    urllib3's limits are for each single read, and none is for looking up a host's name. So the
    call is made on a thread (0.1 ms), which is left behind if it takes too long.

    Raises:
        TimeoutError: it took too long; whatever the call raises otherwise.
    """
    box: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

    def work() -> None:
        try:
            box.put((call(), None))
        except BaseException as error:
            box.put((None, error))

    threading.Thread(target=work, daemon=True).start()
    try:
        value, error = box.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if error is not None:
        raise error
    return value  # type: ignore[return-value]


def _is_no_http(error: http_errors.ProtocolError) -> bool:
    cause = error.args[-1]
    # A connection that was closed without an answer is a kind of bad status line to Python.
    return isinstance(cause, http.client.BadStatusLine) and not isinstance(cause, ConnectionError)


def _reason(error: Exception) -> str:
    """Returns the innermost of nested errors, without the addresses that urllib3 puts around."""
    cause = error.__cause__ or error.__context__ or error.args[-1]
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return str(cause)

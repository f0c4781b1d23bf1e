"""`RestClient`: requests over REST, with urllib3 and JSON; without NumPy, TensorFlow and grpc."""

import http.client
import json
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import quote

import urllib3
from urllib3 import exceptions as http_errors

from .address import Address
from .arrays import A
from .base import METADATA_KEY, BaseClient, Classification
from .errors import (
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
from .json_values import base64_object, error_text, from_json, page_text, tensor_infos, to_json
from .nested_lists import row_converter
from .options import Budget, ClientOptions
from .status import VersionStatus
from .tensors import Features, Signature

MAX_CONNECTIONS = 64  # kept open; urllib3 warns when more threads send at the same time
ERROR_OF_STATUS: dict[int, type[ServingError]] = {
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
REPEATED_STATUSES = (429, 503)
TLS_ADVICE = "Check that this port speaks TLS, and `ca_file` and `client_cert`."

T = TypeVar("T")


class RestClient(BaseClient[A]):
    """A client for TensorFlow Serving's REST API. Its subclasses say which tensors it gives."""

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
                address.host,
                address.port,
                maxsize=MAX_CONNECTIONS,
                ssl_context=options.tls_context(),
            )
        else:
            self._pool = urllib3.HTTPConnectionPool(
                address.host, address.port, maxsize=MAX_CONNECTIONS
            )

    def close(self) -> None:
        super().close()
        self._pool.close()

    def _predict(
        self, inputs: dict[str, A], name: str, signature: Signature, budget: Budget
    ) -> dict[str, A]:
        columns = {}
        for key, array in inputs.items():
            lists = self.arrays.to_lists(array)
            columns[key] = to_json(lists) if signature.inputs[key].dtype == "string" else lists
        body = {"signature_name": name, "inputs": columns}
        outputs = self._post(":predict", body, "outputs", budget)
        if not isinstance(outputs, dict):  # the only output of a signature has no name
            if len(signature.outputs) != 1:
                raise self._bad(f"one output instead of {sorted(signature.outputs)}")
            outputs = {next(iter(signature.outputs)): outputs}
        answer, arrays = {}, self.arrays
        for key, value in outputs.items():
            info = signature.outputs.get(key)  # `_check` refuses missing and extra outputs
            try:
                answer[key] = from_json(key, value, info, arrays) if info else arrays.numbers([])
            except (ValueError, TypeError, OverflowError) as error:
                raise self._bad(f"{key}: {error}") from error
        return answer

    def _classify(
        self, examples: list[Features], name: str, budget: Budget
    ) -> list[Classification]:
        rows = [
            {
                key: [base64_object(v) if isinstance(v, bytes) else v for v in values]
                for key, values in example.items()
            }
            for example in examples
        ]
        body = {"signature_name": name, "examples": rows}
        results = self._post(":classify", body, "results", budget)
        try:
            # The model computes float32, and gRPC sends float32.
            return [
                [(str(label), _float32(float(score))) for label, score in row] for row in results
            ]
        except (ValueError, TypeError) as error:
            raise self._bad(f"results that are no pairs of label and score: {error}") from error

    def _metadata(self, budget: Budget) -> dict[str, Signature]:
        answer = self._ask("GET", "/metadata", None, budget)
        try:
            self._note_facts(answer["metadata"].get(METADATA_KEY))
            signatures = answer["metadata"]["signature_def"]["signature_def"]
            return {
                name: Signature(
                    tensor_infos(value.get("inputs")), tensor_infos(value.get("outputs"))
                )
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
            return _call_within(
                left,
                lambda: self._pool.urlopen(
                    method,
                    path,
                    body=body,
                    headers=self._headers,
                    timeout=urllib3.Timeout(total=left),
                    retries=False,  # this also keeps it from following redirections
                ),
            )
        except http_errors.NewConnectionError as error:  # before its base class, TimeoutError
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
                raise self._bad(f"{status} and no JSON but {page_text(text)!r}") from error
        if status // 100 in (1, 3):
            place = response.headers.get("Location", "nowhere")
            raise self._bad(f"{status}, a redirection to {place}")
        kind = ERROR_OF_STATUS.get(status, InvalidRequest if status // 100 == 4 else ServerFailed)
        retry_after = None
        if status in REPEATED_STATUSES:
            try:
                retry_after = urllib3.Retry().get_retry_after(response) or 0.0
            except http_errors.InvalidHeader:
                retry_after = 0.0
        said = self._clean(f"{status} {error_text(text)}")
        if kind is InvalidRequest and UNKNOWN_LABEL in said:
            kind = NotFound
        raise kind(self.address.url, said, retry_after=retry_after)


def _call_within(seconds: float, call: Callable[[], T]) -> T:
    """Makes a call in another thread and waits for it for a limited time.

    urllib3 limits each single read, and does not limit the look-up of a host's name. The thread
    costs 0.1 ms and is left behind if the call takes too long.

    Args:
        seconds: longest time to wait.
        call: the call.

    Raises:
        TimeoutError: the call took too long.
        BaseException: whatever the call itself raises.
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


def _float32(value: float) -> float:
    rounded: float = row_converter("float32")([value])[0]
    return rounded


def _is_no_http(error: http_errors.ProtocolError) -> bool:
    """Returns whether the server sent something else than HTTP."""
    cause = error.args[-1]
    # Python reports a connection that was closed without a response as a bad status line too.
    return isinstance(cause, http.client.BadStatusLine) and not isinstance(cause, ConnectionError)


def _reason(error: Exception) -> str:
    """Returns the message of the innermost error, without the addresses that urllib3 adds."""
    cause = error.__cause__ or error.__context__ or error.args[-1]
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return str(cause)

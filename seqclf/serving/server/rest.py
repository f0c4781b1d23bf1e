"""TensorFlow Serving's REST API (model_servers/http_rest_api_handler.cc there), with aiohttp."""

import asyncio
import json
import re
import urllib.parse
from typing import Any

import numpy as np
from aiohttp import web
from google.protobuf import json_format
from tensorflow_serving.apis import get_model_metadata_pb2

from seqclf.serving.server.fault import Fault, fault_from_error, invalid
from seqclf.serving.server.json_document import parse_json_object
from seqclf.serving.server.json_examples import examples_from_json
from seqclf.serving.server.json_request import (
    parse_predict_request,
    signature_name,
    tensors_from_request,
)
from seqclf.serving.server.json_response import classifications_json, predictions_json
from seqclf.serving.server.model import ServedModel
from seqclf.serving.server.service import Service
from seqclf.serving.server.tensors import TensorMap

MODEL = r"/v1/models/(?P<model>[^/:]+)(?:/versions/(?P<version>\d+)|/labels/(?P<label>[^/:]+))?"
PATH_FLAGS = re.IGNORECASE | re.ASCII
PREDICTION_PATH = re.compile(MODEL + r":(?P<api>classify|regress|predict)", PATH_FLAGS)
STATUS_PATH = re.compile(MODEL + r"(?P<metadata>/metadata)?", PATH_FLAGS)
METRICS_PATH = "/monitoring/prometheus/metrics"
CORS_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, GET",
    "Access-Control-Allow-Headers": "Content-Type",
}
BODY_SECONDS = 30.0  # time in which the whole body must arrive
MAX_VERSION_DIGITS = 19  # those of 2**63 - 1


def build_app(service: Service, max_body: int, cors: bool = False) -> web.Application:
    """Builds the REST API of a service.

    Args:
        service: the service that does the work.
        max_body: largest size of a request's body in bytes.
        cors: whether web pages of other origins may send requests.
    """
    app = web.Application(client_max_size=max_body)
    handler = RestHandler(service, max_body, CORS_HEADERS if cors else {})
    app.router.add_route("GET", METRICS_PATH, handler.metrics)
    app.router.add_route("*", "/{path:.*}", handler.handle)
    return app


class RestHandler:
    """Handles the requests of `build_app`.

    Args:
        service: the service that does the work.
        max_body: largest size of a request's body in bytes.
        headers: headers of every response.
    """

    def __init__(self, service: Service, max_body: int, headers: dict[str, str]):
        self._service = service
        self._max_body = max_body
        self._headers = headers

    async def handle(self, request: web.Request) -> web.Response:
        """Returns the response to any request; whatever goes wrong, its body is JSON."""
        try:
            if request.method == "OPTIONS" and self._headers:
                return web.Response(headers=self._headers)
            if not re.match("/v1/", request.path, re.IGNORECASE) and request.path != "/v1":
                raise Fault("NOT_FOUND", f"Nothing is at {request.path}; the API is under /v1.")
            text = await self._response_text(request)
            status = 200
        except asyncio.CancelledError:
            raise
        except Exception as error:
            fault = fault_from_error(error)
            text, status = json.dumps({"error": fault.message}), fault.status
        response = web.Response(
            body=text.encode(),  # given as text it would get a charset, which JSON does not have
            status=status,
            content_type="application/json",
            headers=self._headers,
        )
        if not request.content.is_eof():
            # What is left of the body would be taken for the next request.
            response.force_close()
        return response

    async def metrics(self, request: web.Request) -> web.Response:
        """Returns the metrics for Prometheus."""
        del request
        return web.Response(
            body=self._service.metrics.prometheus_text(),
            headers={"Content-Type": "text/plain; version=0.0.4"},
        )

    async def _response_text(self, request: web.Request) -> str:
        path = request.rel_url.raw_path  # without the host, which a proxy may put in front
        body = await self._read_body(request)
        versions = self._service.versions
        if request.method == "POST" and (match := PREDICTION_PATH.fullmatch(path)):
            return await self._inference(match, body)
        if request.method == "GET" and (match := STATUS_PATH.fullmatch(path)):
            name, version, label = _model_choice(match)
            if match["metadata"]:
                return self._metadata(versions.get(name, version, label))
            return _message_json(self._service.version_status(name, version))
        if request.method == "GET" and path.lower().rstrip("/") == "/v1/models":
            raise invalid("Missing model name in request.")
        raise invalid(f"Malformed request: {request.method} {request.path}")

    async def _inference(self, match: re.Match[str], body: bytes) -> str:
        api = match["api"].lower()
        versions = self._service.versions
        with self._service.metrics.measure_request(versions.name, api, "REST"):
            model = versions.get(*_model_choice(match))
            if api == "regress":
                raise invalid("Regression is not served: ask :predict or :classify.")
            return await (self._predict if api == "predict" else self._classify)(model, body)

    async def _read_body(self, request: web.Request) -> bytes:
        too_large = Fault(
            "INVALID_ARGUMENT", f"The body is larger than {self._max_body} bytes.", status=413
        )
        if (request.content_length or 0) > self._max_body:
            raise too_large
        try:
            return await asyncio.wait_for(request.read(), BODY_SECONDS)
        except web.HTTPRequestEntityTooLarge:
            raise too_large from None
        except (TimeoutError, asyncio.TimeoutError):
            message = f"The body did not come within {BODY_SECONDS:g} s."
            raise Fault("DEADLINE_EXCEEDED", message, status=408) from None
        except web.HTTPException:
            raise
        except (ValueError, web.RequestPayloadError, web.PayloadAccessError, OSError) as error:
            raise invalid(f"The body cannot be read: {error}") from error

    async def _predict(self, model: ServedModel, body: bytes) -> str:
        parsed = await self._service.parse_body(_parse_prediction, body, model)
        signature, is_rows, inputs = parsed
        outputs = await self._service.predict(model, signature, inputs)
        return predictions_json(outputs, is_rows)

    async def _classify(self, model: ServedModel, body: bytes) -> str:
        signature, strings = await self._service.parse_body(_parse_classification, body)
        outputs = await self._service.classify(model, signature, strings)
        return classifications_json(outputs.get("classes"), outputs.get("scores"))

    def _metadata(self, model: ServedModel) -> str:
        response = self._service.signature_metadata(model)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        response.metadata["signature_def"].Unpack(signatures)
        document = {
            "model_spec": _message_dict(response.model_spec),
            "metadata": {"signature_def": _message_dict(signatures)},
        }
        return json.dumps(document, indent=1)


def _parse_prediction(body: bytes, model: ServedModel) -> tuple[str, bool, TensorMap]:
    """Returns the signature, whether the response is in rows, and the inputs."""
    request = parse_predict_request(parse_json_object(body))
    dtypes = model.input_dtypes(request.signature)
    return request.signature, request.is_rows, tensors_from_request(request, dtypes)


def _parse_classification(body: bytes) -> tuple[str, np.ndarray]:
    """Returns the signature and the serialized examples, `[B]`."""
    document = parse_json_object(body)
    return signature_name(document), examples_from_json(document)


def _model_choice(match: re.Match[str]) -> tuple[str, int | None, str | None]:
    """Returns the model's name, the version's number and the label in a path."""
    version = match["version"]
    # int() refuses a text of several thousand digits.
    if version and (len(version) > MAX_VERSION_DIGITS or int(version) >= 2**63):
        raise invalid(f"Failed to convert version: {version} to numeric.")
    label = urllib.parse.unquote(match["label"]) if match["label"] else None
    return urllib.parse.unquote(match["model"]), int(version) if version else None, label


def _message_json(message: Any) -> str:
    return json.dumps(_message_dict(message), indent=1)


def _message_dict(message: Any) -> dict[str, Any]:
    """Returns a protocol buffer as JSON values, with the fields that have no value."""
    fields: dict[str, Any] = json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return fields

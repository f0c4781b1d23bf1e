"""TensorFlow Serving's REST API (model_servers/http_rest_api_handler.cc there), with aiohttp."""

import asyncio
import functools
import json
import re
import urllib.parse
from collections.abc import Callable
from typing import Any

import numpy as np
from aiohttp import web
from google.protobuf import json_format
from tensorflow_serving.apis import get_model_metadata_pb2

from seqclf.serving.model_facts import METADATA_KEY
from seqclf.serving.server.fault import Fault, fault_from_error, invalid
from seqclf.serving.server.http_body import read_body
from seqclf.serving.server.json_document import parse_json_object
from seqclf.serving.server.json_examples import examples_from_json
from seqclf.serving.server.json_request import (
    JsonRequest,
    parse_predict_request,
    signature_name,
    tensors_from_request,
)
from seqclf.serving.server.json_response import classifications_json, predictions_json
from seqclf.serving.server.json_sequences import sequences_without_lengths, tensors_from_sequences
from seqclf.serving.server.model import ServedModel
from seqclf.serving.server.page_files import PageFiles
from seqclf.serving.server.service import Service
from seqclf.serving.server.tensors import TensorMap

CHOICE = r"(?:/versions/(?P<version>\d+)|/labels/(?P<label>[^/:]+))?"
MODEL = r"/v1/models/(?P<model>[^/:]+)" + CHOICE
# As in TensorFlow Serving the letters of a path may be large or small, yet those of the API and of
# `metadata` are compared exactly afterwards, and the query string is a part of the path.
PATH_FLAGS = re.IGNORECASE | re.ASCII
PREDICTION_PATH = re.compile(MODEL + r":(?P<api>classify|regress|predict)", PATH_FLAGS)
STATUS_PATH = re.compile(
    r"/v1/models(?:/(?P<model>[^/:]+))?" + CHOICE + r"(?P<metadata>/metadata)?", PATH_FLAGS
)
API_PATH = re.compile(r"/v1/.*", PATH_FLAGS)
APIS = ("classify", "regress", "predict")
METRICS_PATH = "/monitoring/prometheus/metrics"
SCHEME_AND_HOST = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#]*", PATH_FLAGS)
BROKEN_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2})")
CORS_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, GET",
    "Access-Control-Allow-Headers": "Content-Type",
}
MAX_VERSION_DIGITS = 19  # those of 2**63 - 1


class RestHandler:
    """Handles the requests of the REST API.

    Args:
        service: the service that does the work.
        max_body: largest size of a request's body in bytes.
        headers: headers of every response of the API.
        page: the files of the page that is sent under `/`; None: no page is sent.
    """

    def __init__(
        self,
        service: Service,
        max_body: int,
        headers: dict[str, str],
        page: PageFiles | None = None,
    ):
        self._service = service
        self._max_body = max_body
        self._headers = headers
        self._page = page

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """Returns the response to any request; the body of an error is JSON."""
        try:
            response = await self._respond(request)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            fault = fault_from_error(error)
            response = self._json_response(json.dumps({"error": fault.message}), fault.status)
        if not request.content.is_eof():
            # What is left of the body would be taken for the next request.
            response.force_close()
        return response

    async def _respond(self, request: web.BaseRequest) -> web.Response:
        target = _target(request)
        if target == METRICS_PATH:
            return web.Response(
                body=self._service.metrics.prometheus_text(),
                headers={"Content-Type": "text/plain; version=0.0.4"},
            )
        if self._page is not None:
            file = self._page.respond(request.method, target, request.headers)
            if file is not None:
                return file
        if not API_PATH.fullmatch(target):
            raise Fault("NOT_FOUND", f"Nothing is at {target}; the API is under /v1.")
        if request.method == "OPTIONS":
            if not re.search("https?://", request.headers.get("Origin", "")):
                raise Fault("FAILED_PRECONDITION", "Origin header is missing in CORS preflight")
            return web.Response(headers=self._headers)
        body = await read_body(request, self._max_body)
        return self._json_response(await self._response_text(request.method, target, body), 200)

    def _json_response(self, text: str, status: int) -> web.Response:
        return web.Response(
            body=text.encode(),  # given as text it would get a charset, which JSON does not have
            status=status,
            content_type="application/json",
            headers=self._headers,
        )

    async def _response_text(self, method: str, target: str, body: bytes) -> str:
        if method == "POST" and (match := PREDICTION_PATH.fullmatch(target)):
            choice = _model_choice(match)
            if match["api"] in APIS:
                return await self._inference(match["api"], choice, body)
        if method == "GET" and (match := STATUS_PATH.fullmatch(target)):
            name, version, label = _model_choice(match)
            if not name:
                raise invalid("Missing model name in request.")
            if match["metadata"] == "/metadata":
                return self._metadata(self._service.versions.get(name, version, label))
            return _message_json(self._service.version_status(name, version))
        raise invalid(f"Malformed request: {method} {target}")

    async def _inference(
        self, api: str, choice: tuple[str, int | None, str | None], body: bytes
    ) -> str:
        versions = self._service.versions
        find_model = functools.partial(versions.get, *choice)
        with self._service.metrics.measure_request(versions.name, api, "REST"):
            if api == "predict":
                return await self._predict(find_model, body)
            signature, strings = await self._service.parse_body(_parse_classification, body)
            model = find_model()
            if api == "regress":
                raise invalid("Regression is not served: ask :predict or :classify.")
            outputs = await self._service.classify(model, signature, strings)
            return classifications_json(outputs.get("classes"), outputs.get("scores"))

    async def _predict(self, find_model: Callable[[], ServedModel], body: bytes) -> str:
        parsed = await self._service.parse_body(_parse_prediction, body, find_model)
        model, request, inputs = parsed
        outputs = await self._service.predict(model, request.signature, inputs)
        return predictions_json(outputs, request.is_rows)

    def _metadata(self, model: ServedModel) -> str:
        response = self._service.signature_metadata(model)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        response.metadata["signature_def"].Unpack(signatures)
        document = {
            "model_spec": _message_dict(response.model_spec),
            "metadata": {"signature_def": _message_dict(signatures)},
        }
        if model.facts:
            document["metadata"][METADATA_KEY] = model.facts
        return json.dumps(document, indent=1)


def _parse_prediction(
    body: bytes, find_model: Callable[[], ServedModel]
) -> tuple[ServedModel, JsonRequest, TensorMap]:
    """Returns the model, the request and its inputs; in this order they are checked."""
    document = parse_json_object(body)
    signature = signature_name(document)
    model = find_model()
    dtypes = model.input_dtypes(signature)
    if not dtypes:
        raise invalid(f"Failed to get input map for signature: {signature or 'DEFAULT'}")
    request = parse_predict_request(document)
    if model.takes_lengths(signature):
        sequences = sequences_without_lengths(request)
        if sequences is not None:
            return model, request, tensors_from_sequences(sequences, dtypes["inputs"])
    return model, request, tensors_from_request(request, dtypes)


def _parse_classification(body: bytes) -> tuple[str, np.ndarray]:
    """Returns the signature and the serialized examples, `[B]`."""
    document = parse_json_object(body)
    return signature_name(document), examples_from_json(document)


def _target(request: web.BaseRequest) -> str:
    """Returns path and query of a request, without the host that a proxy may put in front.

    Raises:
        Fault: there is a % that no two hexadecimal digits follow.
    """
    target = request.raw_path
    if match := SCHEME_AND_HOST.match(target):
        target = target[match.end() :] or "/"
    if BROKEN_ESCAPE.search(target):
        raise invalid(f"Malformed escape in the path: {target}")
    return target


def _model_choice(match: re.Match[str]) -> tuple[str, int | None, str | None]:
    """Returns the model's name, the version's number and the label in a path."""
    version = match["version"]
    # int() refuses a text of several thousand digits.
    if version and (len(version) > MAX_VERSION_DIGITS or int(version) >= 2**63):
        raise invalid(f"Failed to convert version: {version} to numeric.")
    label = urllib.parse.unquote(match["label"]) if match["label"] else None
    return urllib.parse.unquote(match["model"] or ""), int(version) if version else None, label


def _message_json(message: Any) -> str:
    return json.dumps(_message_dict(message), indent=1)


def _message_dict(message: Any) -> dict[str, Any]:
    """Returns a protocol buffer as JSON values, with the fields that have no value."""
    fields: dict[str, Any] = json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return fields

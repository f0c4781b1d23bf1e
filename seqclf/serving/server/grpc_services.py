"""TensorFlow Serving's gRPC services, over the stubs of tensorflow-serving-api."""

import asyncio
import contextlib
from collections.abc import Awaitable
from typing import Any

import grpc
import numpy as np
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from tensorflow_serving.apis import (
    classification_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from seqclf.serving.server.fault import fault_from_error, invalid
from seqclf.serving.server.http_connections import HEADER_SECONDS
from seqclf.serving.server.model import DEFAULT_SIGNATURE, ServedModel
from seqclf.serving.server.service import Service
from seqclf.serving.server.tensors import array_from_proto, proto_from_array, serialized_examples

HEALTH_SERVICES = ("", "tensorflow.serving.PredictionService", "tensorflow.serving.ModelService")


def build_server(service: Service, max_message: int) -> grpc.aio.Server:
    """Builds a gRPC server for a service; it does not listen on a port yet.

    Args:
        service: the service that does the work.
        max_message: largest size of a request in bytes.
    """
    server = grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", max_message),
            ("grpc.so_reuseport", 0),
            ("grpc.server_handshake_timeout_ms", int(HEADER_SECONDS * 1000)),
        ]
    )
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        PredictionServicer(service), server
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelServicer(service), server)
    health_servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(health_servicer, server)
    server.health = health_servicer  # kept for `set_health`
    return server


async def set_health(server: grpc.aio.Server, serving: bool) -> None:
    """Sets the answer of the health service for all services of a server."""
    states = health_pb2.HealthCheckResponse
    for name in HEALTH_SERVICES:
        await server.health.set(name, states.SERVING if serving else states.NOT_SERVING)


class PredictionServicer(prediction_service_pb2_grpc.PredictionServiceServicer):  # type: ignore[misc] # the stubs have no types
    """Predict, Classify and GetModelMetadata; the other methods are UNIMPLEMENTED."""

    def __init__(self, service: Service):
        self._service = service

    async def Predict(self, request: Any, context: Any) -> Any:  # noqa: N802 (gRPC's name)
        return await self._measured("predict", context, self._predict(request))

    async def Classify(self, request: Any, context: Any) -> Any:  # noqa: N802 (gRPC's name)
        return await self._measured("classify", context, self._classify(request))

    async def GetModelMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802 (gRPC's name)
        return await self._measured("metadata", context, self._metadata(request))

    async def _predict(self, request: Any) -> Any:
        model = _find_model(self._service, request)
        name = request.model_spec.signature_name
        # Before the tensors are read: any number of large inputs would fill the memory.
        model.check_input_names(name, request.inputs, without_lengths=True)
        inputs = {name: array_from_proto(proto) for name, proto in request.inputs.items()}
        outputs = await self._service.predict(model, name, inputs, list(request.output_filter))
        response = predict_pb2.PredictResponse()
        _fill_model_spec(response.model_spec, model, request.model_spec)
        for output, value in outputs.items():
            response.outputs[output].CopyFrom(proto_from_array(value))
        return response

    async def _classify(self, request: Any) -> Any:
        model = _find_model(self._service, request)
        strings = serialized_examples(request.input)
        name = request.model_spec.signature_name
        outputs = await self._service.classify(model, name, strings)
        response = classification_pb2.ClassificationResponse()
        _fill_model_spec(response.model_spec, model, request.model_spec)
        _fill_classifications(response.result, outputs.get("classes"), outputs.get("scores"))
        return response

    async def _metadata(self, request: Any) -> Any:
        if not request.metadata_field:
            raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
        for field in request.metadata_field:
            if field != "signature_def":
                raise invalid(f"Metadata field {field} is not supported")
        return self._service.signature_metadata(_find_model(self._service, request))

    async def _measured(self, api: str, context: Any, response: Awaitable[Any]) -> Any:
        metrics, name = self._service.metrics, self._service.versions.name
        return await _respond(context, response, metrics.measure_request(name, api, "GRPC"))


class ModelServicer(model_service_pb2_grpc.ModelServiceServicer):  # type: ignore[misc] # the stubs have no types
    """GetModelStatus; the other method is UNIMPLEMENTED."""

    def __init__(self, service: Service):
        self._service = service

    async def GetModelStatus(self, request: Any, context: Any) -> Any:  # noqa: N802 (gRPC's name)
        return await _respond(context, self._status(request), contextlib.nullcontext())

    async def _status(self, request: Any) -> Any:
        name, version, _ = _model_choice(request)
        return self._service.version_status(name, version)


async def _respond(
    context: Any, response: Awaitable[Any], measured: contextlib.AbstractContextManager[None]
) -> Any:
    """Returns a response; an error of any kind ends the call with its gRPC code."""
    try:
        with measured:
            return await response
    except asyncio.CancelledError:
        raise
    except Exception as error:
        fault = fault_from_error(error)
        await context.abort(getattr(grpc.StatusCode, fault.code), fault.message)


def _find_model(service: Service, request: Any) -> ServedModel:
    name, version, label = _model_choice(request)
    if not name:
        raise invalid("ModelSpec has no name specified.")
    return service.versions.get(name, version, label)


def _model_choice(request: Any) -> tuple[str, int | None, str | None]:
    """Returns the model's name, the version's number and the label in a request's ModelSpec."""
    if not request.HasField("model_spec"):
        raise invalid("Missing ModelSpec")
    spec = request.model_spec
    choice = spec.WhichOneof("version_choice")
    version = spec.version.value if choice == "version" else None
    return spec.name, version, spec.version_label if choice == "version_label" else None


def _fill_model_spec(spec: Any, model: ServedModel, asked: Any) -> None:
    """Fills the ModelSpec of a response, from that of the request and the version that ran."""
    spec.name = asked.name
    spec.version.value = model.version
    spec.signature_name = asked.signature_name or DEFAULT_SIGNATURE


def _fill_classifications(
    result: Any, classes: np.ndarray | None, scores: np.ndarray | None
) -> None:
    """Fills a ClassificationResult with `[B, C]` labels and/or scores."""
    shape = (scores if scores is not None else classes).shape  # type: ignore[union-attr] # one is
    for i in range(shape[0]):
        classification = result.classifications.add()
        for j in range(shape[1]):
            classification.classes.add(
                label=classes[i, j].decode("utf-8", "replace") if classes is not None else "",
                score=float(scores[i, j]) if scores is not None else 0.0,
            )

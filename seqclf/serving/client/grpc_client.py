"""The client for gRPC. Its messages come with TensorFlow, which takes seconds to import."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf import wrappers_pb2
from google.protobuf.message import DecodeError
from tensorflow.core.framework import types_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from seqclf.client.address import Address
from seqclf.client.base import METADATA_KEY, Classification
from seqclf.client.errors import (
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
from seqclf.client.options import Budget
from seqclf.client.status import VersionStatus
from seqclf.client.tensors import Features, Signature, TensorInfo, dtype_name
from seqclf.serving.client.base import Client
from seqclf.serving.client.options import ClientOptions
from seqclf.serving.object_arrays import object_array

ERROR_OF_CODE: dict[grpc.StatusCode, type[ServingError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidRequest,
    grpc.StatusCode.FAILED_PRECONDITION: InvalidRequest,
    grpc.StatusCode.OUT_OF_RANGE: InvalidRequest,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.UNAUTHENTICATED: Unauthorized,
    grpc.StatusCode.PERMISSION_DENIED: Unauthorized,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Unavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
}
REST_PORT_ADVICE = "Is this the port of gRPC (8500), and not that of REST (8501)?"
REPEATED_CODES = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)
CHANNEL_OPTIONS = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # With its defaults gRPC waits longer than a second after a refused connection.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.enable_http_proxy", 0),  # the REST client uses no proxy of the environment either
]


class GrpcClient(Client):
    """A client for TensorFlow Serving's gRPC API; `connect` makes one."""

    def __init__(self, address: Address, options: ClientOptions):
        super().__init__(address, options)
        host = f"[{address.host}]" if ":" in address.host else address.host
        target = f"{host}:{address.port}"
        if address.is_secure:
            options.tls_context()  # checks the files; gRPC would only log a mistake
            credentials = _credentials(options)
            self._channel = grpc.secure_channel(target, credentials, CHANNEL_OPTIONS)
        else:
            self._channel = grpc.insecure_channel(target, CHANNEL_OPTIONS)
        self._predictions = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._models = model_service_pb2_grpc.ModelServiceStub(self._channel)
        self._headers = [(name.lower(), value) for name, value in options.headers.items()]

    def close(self) -> None:
        super().close()
        self._channel.close()

    def _predict(
        self, inputs: dict[str, np.ndarray], name: str, signature: Signature, budget: Budget
    ) -> dict[str, np.ndarray]:
        request = predict_pb2.PredictRequest(model_spec=self._spec(name))
        for key, array in inputs.items():
            request.inputs[key].CopyFrom(tf.make_tensor_proto(array))
        response = self._ask(self._predictions.Predict, request, budget)
        try:
            return {key: _to_array(key, proto) for key, proto in response.outputs.items()}
        except (ValueError, TypeError) as error:  # UnicodeDecodeError is a ValueError
            raise self._bad(str(error)) from error

    def _classify(
        self, examples: list[Features], name: str, budget: Budget
    ) -> list[Classification]:
        request = classification_pb2.ClassificationRequest(model_spec=self._spec(name))
        for example in examples:
            added = request.input.example_list.examples.add()
            for key, values in example.items():
                _fill_feature(added.features.feature[key], values)
        response = self._ask(self._predictions.Classify, request, budget)
        return [
            [(entry.label, entry.score) for entry in row.classes]
            for row in response.result.classifications
        ]

    def _metadata(self, budget: Budget) -> dict[str, Signature]:
        request = get_model_metadata_pb2.GetModelMetadataRequest(
            model_spec=self._spec(), metadata_field=["signature_def"]
        )
        response = self._ask(self._predictions.GetModelMetadata, request, budget)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        self._note_facts(_facts(response.metadata))
        try:
            if not response.metadata["signature_def"].Unpack(signatures):
                raise ValueError("no signatures in them")
            return {
                name: Signature(_tensor_infos(value.inputs), _tensor_infos(value.outputs))
                for name, value in sorted(signatures.signature_def.items())
            }
        except (DecodeError, ValueError) as error:
            raise self._bad(f"metadata that cannot be read: {error}") from error

    def _status(self, budget: Budget) -> list[VersionStatus]:
        request = get_model_status_pb2.GetModelStatusRequest(model_spec=self._spec())
        response = self._ask(self._models.GetModelStatus, request, budget)
        states = get_model_status_pb2.ModelVersionStatus.State
        return [
            VersionStatus(
                entry.version,
                states.Name(entry.state),
                (entry.status.error_message or str(entry.status.error_code))
                if entry.status.error_code
                else "",
            )
            for entry in response.model_version_status
        ]

    def _spec(self, signature: str = "") -> Any:
        spec = model_pb2.ModelSpec(name=self.address.model, signature_name=signature)
        if self.address.version is not None:
            spec.version.value = self.address.version
        elif self.address.label:
            spec.version_label = self.address.label
        return spec

    def _ask(self, method: Callable[..., Any], request: Any, budget: Budget) -> Any:
        def send(left: float) -> Any:
            try:
                return method(request, timeout=left, metadata=self._headers)
            except grpc.RpcError as error:
                raise self._failure(error) from error

        return self._attempts(send, budget)

    def _failure(self, error: Any) -> ServingError:
        code, details = error.code(), error.details() or ""
        kind = ERROR_OF_CODE.get(code, ServerFailed)
        retry_after = 0.0 if code in REPEATED_CODES else None
        said = self._clean(f"{code.name} {details}")
        if code is grpc.StatusCode.INTERNAL and "deserializing response" in details:
            kind = BadAnswer  # a message of the library, not of the server
        if kind is InvalidRequest and UNKNOWN_LABEL in details:
            kind = NotFound
        advice = REST_PORT_ADVICE if "HTTP/2" in details else ""
        return kind(self.address.url, said, advice, retry_after=retry_after)


def _credentials(options: ClientOptions) -> Any:
    def content(file: str | None) -> bytes | None:
        return Path(file).read_bytes() if file else None

    return grpc.ssl_channel_credentials(
        root_certificates=content(options.ca_file),
        private_key=content(options.client_key or options.client_cert),
        certificate_chain=content(options.client_cert),
    )


def _facts(metadata: Mapping[str, Any]) -> Any:
    """Returns what the local server says of the training data; TensorFlow Serving says nothing."""
    text = wrappers_pb2.StringValue()
    if METADATA_KEY not in metadata or not metadata[METADATA_KEY].Unpack(text):
        return None
    try:
        return json.loads(text.value)
    except ValueError:
        return None


def _to_array(name: str, proto: Any) -> np.ndarray:
    array: np.ndarray = tf.make_ndarray(proto)
    if array.dtype != object or name.endswith("_bytes"):
        return array
    return object_array([value.decode() for value in array.ravel()], array.shape)


def _fill_feature(feature: Any, values: list[int] | list[float] | list[bytes]) -> None:
    if not values:
        return  # a feature without a kind, like an empty list over REST
    kinds = {bytes: feature.bytes_list, float: feature.float_list, int: feature.int64_list}
    kinds[type(values[0])].value.extend(values)


def _tensor_infos(entries: Mapping[str, Any]) -> dict[str, TensorInfo]:
    infos = {}
    for name, entry in sorted(entries.items()):
        shape = entry.tensor_shape
        dims = None if shape.unknown_rank else tuple(dim.size for dim in shape.dim)
        infos[name] = TensorInfo(dtype_name(types_pb2.DataType.Name(entry.dtype)), dims)
    return infos

"""A server with TensorFlow Serving's REST and gRPC, a small model, and faults on demand."""
# ruff: noqa: N802, N815 (methods are named as http.server and gRPC call them)

import base64
import contextlib
import json
import ssl
import threading
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

FLOAT, INT, STRING = (t.as_datatype_enum for t in (tf.float32, tf.int32, tf.string))
SIGNATURES = {
    "serving_default": (
        {"x": (FLOAT, [None, 3]), "n": (tf.uint8.as_datatype_enum, [None])},
        {
            "sum": (FLOAT, [None]),
            "order": (INT, [None, 3]),
            "name": (STRING, [None]),
            "raw_bytes": (STRING, [None]),
        },
    ),
    "serving_bytes": ({"image_bytes": (STRING, [None])}, {"echo_bytes": (STRING, [None])}),
    "names": ({"inputs": (STRING, [None, 2])}, {"upper": (STRING, [None, 2])}),
    "sequences": (
        {"inputs": (FLOAT, [None, None, 1]), "lengths": (INT, [None])},
        {"count": (INT, [None])},
    ),
    "__saved_model_init_op": ({}, {"__saved_model_init_op": (0, None)}),
}


def predict(name, inputs):
    """Runs the model on arrays; strings are bytes."""
    if name == "serving_bytes":
        return {"echo_bytes": np.array([v[::-1] for v in inputs["image_bytes"]], object)}
    if name == "names":
        return {"upper": np.vectorize(lambda v: v.decode().upper().encode(), "O")(inputs["inputs"])}
    if name == "sequences":
        return {"count": inputs["lengths"].astype(np.int32)}
    x, n = inputs["x"], inputs["n"]
    with np.errstate(invalid="ignore", over="ignore"):
        total = x.sum(axis=1, dtype=np.float32)
    return {
        "sum": total,
        "order": np.argsort(x, axis=1).astype(np.int32),
        "name": np.array([f"Größe {value}".encode() for value in n], object),
        "raw_bytes": np.array([row.tobytes() for row in x], object),
    }


def classify(example):
    """Returns (label, score) for each feature: its kind and number, and its sum or length."""
    rows = []
    for key, feature in sorted(example.features.feature.items()):
        kind = feature.WhichOneof("kind")
        values = getattr(feature, kind).value if kind else []
        total = sum(map(len, values)) if kind == "bytes_list" else sum(values)
        rows.append((f"{key}:{kind}:{len(values)}", np.float32(total)))
    return rows


def signature_map():
    message = get_model_metadata_pb2.SignatureDefMap()
    for name, sides in SIGNATURES.items():
        for entries, side in zip(sides, ("inputs", "outputs"), strict=True):
            for key, (dtype, shape) in entries.items():
                info = getattr(message.signature_def[name], side)[key]
                info.dtype = dtype
                info.tensor_shape.CopyFrom(tf.TensorShape(shape).as_proto())
    return message


class FakeServing:
    """A REST and a gRPC server, each on a free port.

    Attributes:
        faults: one fault for each of the next requests; `Handler.do_GET` and `Grpc.enter` say what
            a fault is.
        requests: (path or method, headers, body) of all requests so far.
        states: (version, state, error code, error message) of the model's versions.
    """

    def __init__(self, tls=None):
        self.faults, self.requests = [], []
        self.closing = threading.Event()  # ends all pauses
        self.states = [(1, "AVAILABLE", 0, "")]
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), type("H", (Handler,), {"owner": self}))
        self.http.handle_error = lambda *args: None  # not logged: a client went away
        unlimited = [("grpc.max_receive_message_length", -1)]
        self.grpc = grpc.server(futures.ThreadPoolExecutor(4), options=unlimited)
        service = Grpc(self)
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(service, self.grpc)
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(service, self.grpc)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls / "cert.pem", tls / "key.pem")
            context.load_verify_locations(tls / "cert.pem")
            context.verify_mode = ssl.CERT_REQUIRED
            self.http.socket = context.wrap_socket(self.http.socket, server_side=True)
            key, cert = ((tls / name).read_bytes() for name in ("key.pem", "cert.pem"))
            credentials = grpc.ssl_server_credentials([(key, cert)], cert, True)
            port = self.grpc.add_secure_port("127.0.0.1:0", credentials)
        else:
            port = self.grpc.add_insecure_port("127.0.0.1:0")
        s = "s" if tls else ""
        self.rest_url = f"http{s}://127.0.0.1:{self.http.server_port}/v1/models/m"
        self.grpc_url = f"grpc{s}://127.0.0.1:{port}/m"
        self.grpc.start()
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        self.closing.set()
        self.http.shutdown()
        self.http.server_close()
        self.grpc.stop(None)

    def asked(self, what=""):
        return sum(what.lower() in path.lower() for path, _, _ in self.requests)

    def status(self):
        message = get_model_status_pb2.GetModelStatusResponse()
        for version, state, code, error in self.states:
            entry = message.model_version_status.add(version=version)
            entry.state = entry.State.Value(state)
            entry.status.error_code, entry.status.error_message = code, error
        return message


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else header and body, two writes, take 40 ms

    def do_GET(self):
        """A fault is (status, body, headers), seconds to sleep, or a function of this handler."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.owner.requests.append((self.path, dict(self.headers), body))
        if self.owner.faults:
            fault = self.owner.faults.pop(0)
            if not isinstance(fault, float):
                return fault(self) if callable(fault) else self.answer(*fault)
            self.owner.closing.wait(fault)
        if body:
            return self.answer(200, self.post(json.loads(body)))
        if self.path.endswith("/metadata"):
            answer = json_format.MessageToDict(
                signature_map(),
                preserving_proto_field_name=True,
                always_print_fields_with_no_presence=True,
            )
            return self.answer(200, {"metadata": {"signature_def": answer}})
        answer = json_format.MessageToDict(self.owner.status(), preserving_proto_field_name=True)
        return self.answer(200, answer)

    do_POST = do_GET

    def post(self, request):
        if self.path.endswith(":classify"):
            return {"results": [classify(as_example(row)) for row in request["examples"]]}
        name = request["signature_name"]
        arrays = {
            key: np.array(plain(value), tf.as_dtype(SIGNATURES[name][0][key][0]).as_numpy_dtype)
            for key, value in request["inputs"].items()
        }
        outputs = {
            key: in_json(array, key.endswith("_bytes"))
            for key, array in predict(name, arrays).items()
        }
        return {"outputs": outputs if len(outputs) > 1 else next(iter(outputs.values()))}

    def answer(self, status, body="", headers=None):
        text = body if isinstance(body, bytes) else json.dumps(body, default=short).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(text)

    def log_message(self, *args):
        pass


class Grpc(
    prediction_service_pb2_grpc.PredictionServiceServicer,
    model_service_pb2_grpc.ModelServiceServicer,
):
    def __init__(self, owner):
        self.owner = owner

    def enter(self, method, request, context):
        """A fault is (code, details), seconds to sleep, or an answer."""
        self.owner.requests.append((method, dict(context.invocation_metadata()), request))
        if self.owner.faults:
            fault = self.owner.faults.pop(0)
            if isinstance(fault, tuple):
                context.abort(*fault)
            if not isinstance(fault, float):
                return fault
            self.owner.closing.wait(fault)
        return None

    def Predict(self, request, context):
        if fault := self.enter("predict", request, context):
            return fault
        arrays = {key: tf.make_ndarray(value) for key, value in request.inputs.items()}
        response = predict_pb2.PredictResponse()
        for key, array in predict(request.model_spec.signature_name, arrays).items():
            response.outputs[key].CopyFrom(tf.make_tensor_proto(array))
        return response

    def Classify(self, request, context):
        if fault := self.enter("classify", request, context):
            return fault
        response = classification_pb2.ClassificationResponse()
        for example in request.input.example_list.examples:
            row = response.result.classifications.add()
            for label, score in classify(example):
                row.classes.add(label=label, score=score)
        return response

    def GetModelMetadata(self, request, context):
        if fault := self.enter("metadata", request, context):
            return fault
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.metadata["signature_def"].Pack(signature_map())
        return response

    def GetModelStatus(self, request, context):
        return self.enter("status", request, context) or self.owner.status()


def plain(value):
    if isinstance(value, dict):
        return base64.b64decode(value["b64"], validate=True)
    return [plain(item) for item in value] if isinstance(value, list) else value


def in_json(array, encoded):
    if array.dtype != object:
        return array.tolist() if array.dtype.kind != "f" else [short(value) for value in array]
    values = [{"b64": base64.b64encode(v).decode()} if encoded else v.decode() for v in array.flat]
    return np.array([*values, None], object)[:-1].reshape(array.shape).tolist()


def short(value):
    """Returns a float32 as the decimal number with the fewest digits."""
    return float(str(value))


def as_example(row):
    example = tf.train.Example()
    for key, values in row.items():
        feature = example.features.feature[key]
        for value in plain(values):
            kinds = {int: feature.int64_list, float: feature.float_list, bytes: feature.bytes_list}
            kinds[type(value)].value.append(value)
    return example

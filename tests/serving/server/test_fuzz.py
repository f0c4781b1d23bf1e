"""Random requests: each gets a response in JSON that is no 5xx, and values come back unchanged."""

import base64
import http.client
import json

import grpc
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis.extra import numpy as arrays
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

SIGNATURES = ("float32", "string", "int64", "several", "classify", "nope", "", 5, None)
METHODS = ("predict", "classify", "regress")
KEYS = ("instances", "inputs", "examples", "context", "b64", "x", "number", "text", "decimal")


@pytest.fixture(scope="module")
def server(serving, save_zoo, tmp_path_factory):
    export_dir = tmp_path_factory.mktemp("zoo")
    save_zoo(export_dir, 1)
    running = serving(export_dir)
    yield running
    running.close()


def check(answer):
    assert answer.status in (200, 400, 404, 413, 501), answer.text
    assert answer.headers["Content-Type"] == "application/json"
    document = json.loads(answer.text)
    assert (answer.status == 200) != (document.keys() == {"error"})
    if answer.status != 200:
        assert document["error"] and isinstance(document["error"], str)


keys = st.sampled_from(KEYS) | st.text(max_size=5)
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=())).map(lambda s: s[:9])  # surrogates too
    | st.sampled_from(["aGVsbG8=", 2**63, 2**64, 10**400, -(2**31), 1.7e308, 16777217])
)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)
documents = st.dictionaries(keys, values, max_size=3)
likely = st.fixed_dictionaries(
    {},
    optional={
        "signature_name": st.sampled_from(SIGNATURES),
        "instances": values | st.lists(values, min_size=1, max_size=3),
        "inputs": values | documents,
        "examples": st.lists(st.dictionaries(keys, values, max_size=3), max_size=3),
        "context": documents,
    },
)


@settings(max_examples=250)
@given(st.sampled_from(METHODS), values | documents | likely)
@example("classify", {"signature_name": "classify", "examples": [{"\ud800": 1.0}]})
@example("predict", {"signature_name": "string", "instances": ["\udfff"]})
@example("predict", {"signature_name": "\ud800", "instances": [1]})
@example("predict", {"signature_name": "constant", "inputs": {}})
@example("classify", {"signature_name": "flat", "examples": [{}]})
def test_documents(server, method, document):
    check(server.ask("POST", f"/v1/models/zoo:{method}", json.dumps(document)))
    server.alive()


def spliced(whole, start, length, piece):
    return whole[:start] + piece + whole[start + length :]


WHOLE = b'{"signature_name": "several", "instances": [{"number": [1, -2e1], "text": "\\u00fc"}]}'
damaged = st.builds(
    spliced,
    st.just(WHOLE),
    st.integers(0, len(WHOLE)),
    st.integers(0, 10),
    st.binary(max_size=6) | st.text('{}[]",:\\0123456789eE.-+nuN \t', max_size=6).map(str.encode),
)


@settings(max_examples=150)
@given(st.sampled_from(METHODS), st.binary(max_size=60) | damaged)
def test_bytes(server, method, body):
    check(server.ask("POST", f"/v1/models/zoo:{method}", body))
    server.alive()


parts = st.sampled_from(
    [
        *("v1", "models", "zoo", "versions", "labels", "metadata", "1", "99", "9" * 30, "-1"),
        *(":predict", ":classify", "zoo:predict", "1:predict", "..", ".", "", "%", "%00", "%zz"),
        *("%ff", "%2F", "%E2%82%AC", "+", "*", ";", "~", "@", "v1/models/zoo", "a" * 900),
    ]
) | st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#?"), max_size=8)


@settings(max_examples=200)
@given(
    st.sampled_from(["GET", "POST", "PUT", "DELETE"]), st.lists(parts, max_size=7), st.booleans()
)
def test_paths(server, method, pieces, under):
    path = ("/v1/models/" if under else "/") + "/".join(pieces)
    body = {"instances": [2.0]} if method != "GET" else None
    # Not through urllib3, which would put some right.
    connection = http.client.HTTPConnection(*server.address, timeout=20)
    try:
        connection.request(method, path, json.dumps(body) if body else None)
        response = connection.getresponse()
        text = response.read().decode()
        assert response.status in (200, 400, 404), text
        assert isinstance(json.loads(text), dict)
    finally:
        connection.close()


tensors = st.builds(
    tensor_pb2.TensorProto,
    dtype=st.sampled_from([1, 3, 7, 9, 10, 19]) | st.integers(0, 130),
    tensor_shape=st.builds(
        lambda sizes, unknown: {"dim": [{"size": n} for n in sizes], "unknown_rank": unknown},
        st.lists(st.integers(0, 4) | st.integers(-(2**63), 2**63 - 1), max_size=4),
        st.just(False) | st.booleans(),
    ),
    tensor_content=st.just(b"") | st.binary(max_size=20),
    float_val=st.lists(st.floats(width=32), max_size=4),
    int_val=st.lists(st.integers(-(2**31), 2**31 - 1), max_size=4),
    int64_val=st.lists(st.integers(-(2**63), 2**63 - 1), max_size=2),
    half_val=st.lists(st.integers(-(2**31), 2**31 - 1), max_size=2),
    bool_val=st.lists(st.booleans(), max_size=2),
    string_val=st.lists(st.binary(max_size=5), max_size=4),
    version_number=st.integers(-2, 2),
)


@settings(max_examples=250)
@given(
    tensors,
    st.sampled_from(["", "string", "int32", "uint8", "int64", "bool", "float16", "square", "nope"]),
)
def test_tensors(server, tensor, signature):
    stub = prediction_service_pb2_grpc.PredictionServiceStub(server.channel)
    spec = {"name": "zoo", "signature_name": signature}
    name = "image" if signature == "square" else "x"
    request = predict_pb2.PredictRequest(model_spec=spec, inputs={name: tensor})
    try:
        response = stub.Predict(request, timeout=20)
        assert response.outputs.keys() <= {"y", "sum"}
    except grpc.RpcError as error:
        code = error.code().name
        assert code in ("INVALID_ARGUMENT", "FAILED_PRECONDITION"), error.details()
        assert error.details()


# Round trips


def shapes(**options):
    return arrays.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=5, **options)


def outputs(server, dtype, body):
    answer = server.predict(body, dtype)
    assert answer.status == 200, answer.text
    (content,) = answer.json.values()
    return content


@settings(max_examples=60)
@given(
    st.sampled_from(["float32", "float64"]).flatmap(
        lambda dtype: arrays.arrays(dtype, shapes(), elements={"allow_nan": True})
    ),
    st.booleans(),
)
def test_floats_come_back_bit_for_bit(server, x, rows):
    name = x.dtype.name
    exact = x.astype(np.float64).tolist()  # float32 as the doubles that they are
    content = outputs(server, name, {"instances" if rows else "inputs": exact})
    back = np.array(content, x.dtype)
    assert back.shape == x.shape
    same = back.view(f"u{x.itemsize}") == x.view(f"u{x.itemsize}")
    assert (same | (np.isnan(x) & np.isnan(back))).all()


@settings(max_examples=60)
@given(
    st.sampled_from(
        ["int8", "uint8", "int16", "int32", "int64", "uint32", "uint64", "bool"]
    ).flatmap(lambda dtype: arrays.arrays(dtype, shapes())),
    st.booleans(),
    st.booleans(),
)
def test_integers_come_back(server, x, rows, named):
    content = x.tolist()
    if named:
        content = [{"x": value} for value in content] if rows else {"x": content}
    back = outputs(server, x.dtype.name, {"instances" if rows else "inputs": content})
    assert back == x.tolist()
    assert all(type(a) is type(b) for a, b in zip(flat(back), flat(x.tolist()), strict=True))


def flat(value):
    return [leaf for item in value for leaf in flat(item)] if isinstance(value, list) else [value]


@settings(max_examples=40)
@given(
    arrays.arrays(object, shapes(), elements=st.text(max_size=8)),
    st.booleans(),
)
def test_strings_come_back(server, x, rows):
    key = "instances" if rows else "inputs"
    assert outputs(server, "string", {key: x.tolist()}) == x.tolist()


@settings(max_examples=40)
@given(st.lists(st.binary(max_size=20), min_size=1, max_size=8), st.booleans())
def test_bytes_come_back(server, values, rows):
    encoded = [{"b64": base64.b64encode(value).decode()} for value in values]
    key = "instances" if rows else "inputs"
    assert outputs(server, "bytes", {key: encoded}) == encoded

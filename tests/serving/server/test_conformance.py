"""Requests, and the responses of TensorFlow Serving to them, over REST and gRPC.

The cases follow its own tests (json_tensor_test.cc, http_rest_api_handler_test.cc,
http_rest_api_util_test.cc and tensorflow_model_server_test.py there), the errors by the code and a
part of the message. `conftest.py` has the signatures.
"""

import gzip
import http.client
import json
import math
import zlib

import grpc
import jsonschema
import numpy as np
import pytest
import tensorflow as tf
from grpc_health.v1 import health_pb2, health_pb2_grpc
from openapi_description import described, description
from openapi_spec_validator import OpenAPIV31SpecValidator
from tensorflow.core.framework import tensor_pb2, types_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

from seqclf.serving.server.fault import Fault
from seqclf.serving.server.json_response import predictions_json

NAN, INF = math.nan, math.inf
HELLO, WORLD = {"b64": "aGVsbG8="}, {"b64": "d29ybGQ="}


@pytest.fixture(scope="module")
def server(serving, save_zoo, tmp_path_factory):
    export_dir = tmp_path_factory.mktemp("zoo")
    for version in (123, 124):
        save_zoo(export_dir, version)
    running = serving(export_dir, keep_loaded=2, labels={"stable": 123, "a b/c": 124})
    yield running
    running.close()


def check(answer, expected):
    """Checks a response: a JSON document, a text, or (status, a part of the error's message)."""
    if isinstance(expected, tuple):
        assert (answer.status, expected[1] in answer.error) == (expected[0], True), answer.text
    elif isinstance(expected, str):
        assert (answer.status, answer.text) == (200, expected)
    else:
        assert answer.status == 200, answer.text
        np.testing.assert_equal(answer.json, expected)
        assert answer.headers["Content-Type"] == "application/json"


def rows(*values):
    return {"instances": list(values)}


def predictions(*values):
    return {"predictions": list(values)}


PREDICT = [
    # Half plus two: shapes are free.
    ("", rows(1.0, 2.0), predictions(2.5, 3.0)),
    ("", rows([1.0, 2.0], [3.0, 4.0]), predictions([2.5, 3.0], [3.5, 4.0])),
    ("", rows({"x": 1.0}, {"x": 2.0}), predictions(2.5, 3.0)),
    ("", {"inputs": [3.0, 4.0]}, {"outputs": [3.5, 4.0]}),
    ("", {"inputs": {"x": [[3.0], [4.0]]}}, {"outputs": [[3.5], [4.0]]}),
    ("", {"inputs": {"x": [3.0], "ignored": 1}}, {"outputs": [3.5]}),
    ("", {"inputs": []}, {"outputs": []}),
    ("serving_default", rows(3.0), predictions(3.5)),
    ("", {"signature_name": "", "instances": [3.0]}, predictions(3.5)),
    ("", {"instances": [3.0], "anything": {"else": [1]}}, predictions(3.5)),
    # Numbers: integers among floats, and what JSON has no word for.
    ("float32", rows(1, 2.0, 3, 5.003, 0.007, 0.0), predictions(1.0, 2.0, 3.0, 5.003, 0.007, 0.0)),
    ("float64", rows(1.0, 2, 0.662, 0), predictions(1.0, 2.0, 0.662, 0.0)),
    ("float32", rows(NAN, INF, 3, -INF), '{"predictions": [NaN, Infinity, 3.0, -Infinity]}'),
    ("float64", {"inputs": [NAN, INF]}, '{"outputs": [NaN, Infinity]}'),
    ("float32", rows(0.2, 0.1, 1 / 3), '{"predictions": [0.2, 0.1, 0.33333334]}'),
    ("float32", rows(999999, 0.5, 3e-4), '{"predictions": [999999.0, 0.5, 0.0003]}'),
    ("float32", rows(3e-5, 555557.5), '{"predictions": [3e-05, 555557.5]}'),
    ("float32", rows(16777215, -16777217), predictions(16777215.0, -16777216.0)),
    ("float64", rows(2**53 + 1), predictions(2.0**53)),
    ("float64", rows(2**64, -(2**64), 10**30), predictions(2.0**64, -(2.0**64), 1e30)),
    ("float32", '{"instances": [-0.0, 1E2, 1e-400]}', "{'predictions': [-0.0, 100.0, 0.0]}"),
    # Too large for the type: infinite, as long as the exponent is that of a double.
    ("float32", rows(3.4028235e38, 1e39, -1e39), predictions(3.4028235e38, INF, -INF)),
    ("float64", '{"instances": [1.8e308, 12e307, 0.5e309]}', predictions(INF, 1.2e308, 5e308)),
    ("float32", '{"instances": [Inf, -Inf, Infinity, -NaN]}', predictions(INF, -INF, INF, NAN)),
    ("string", '{"instances": ["Inf \\" Inf"], "x": Inf}', predictions('Inf " Inf')),
    # Integers stay what they are; the range of the JSON number counts, not that of the type.
    ("int32", rows([1, 2], [3, 4], [5, 6]), '{"predictions": [[1, 2], [3, 4], [5, 6]]}'),
    ("int64", rows(2**63 - 1, -(2**63)), predictions(2**63 - 1, -(2**63))),
    ("uint64", rows(2**64 - 1), predictions(2**64 - 1)),
    ("uint32", rows(2**32 - 1), predictions(2**32 - 1)),
    ("uint8", rows(300, 255, -1), predictions(44, 255, 255)),
    ("int8", rows(200), predictions(-56)),
    ("int16", rows(-5), predictions(-5)),
    ("bool", rows([True], [False]), predictions([True], [False])),
    # Strings, plain and base64.
    ("string", rows("a", "ü€😀", ""), predictions("a", "ü€😀", "")),
    ("string", rows("a\u0000b\n"), predictions("a\u0000b\n")),
    ("string", '{"instances": ["\\ud83d\\ude00"]}', predictions("😀")),
    ("string", rows(HELLO, WORLD), predictions("hello", "world")),
    ("string", rows([HELLO], [WORLD]), predictions(["hello"], ["world"])),
    ("string", rows({"x": [[HELLO], [WORLD]]}), predictions([["hello"], ["world"]])),
    ("string", rows("a", HELLO), predictions("a", "hello")),
    ("string", rows({"b64": "aGVsbG8"}), predictions("hello")),
    ("string", rows({"b64": " aGVs\nbG8= "}), predictions("hello")),
    ("string", rows({"b64": "YQ"}, {"b64": "YQ=="}, {"b64": "YWI"}), predictions("a", "a", "ab")),
    ("string", rows({"b64": ""}), predictions("")),
    ("string", {"inputs": []}, {"outputs": []}),
    ("bytes", rows("hello"), predictions(HELLO)),
    ("bytes", rows(["hello", "world"]), predictions([HELLO, WORLD])),
    ("bytes", rows({"b64": "/+8="}), predictions({"b64": "/+8="})),
    ("bytes", {"inputs": ["hello"]}, {"outputs": [HELLO]}),
    ("junk", rows("a"), predictions("\ufffd")),
    # Several inputs and outputs.
    (
        "several",
        rows(
            {"number": [1, 2], "text": "foo", "decimal": 1},
            {"number": [3, 4], "text": HELLO, "decimal": NAN},
        ),
        predictions(
            {"number": [2, 3], "text": "FOO", "text_bytes": {"b64": "Zm9v"}, "decimal": 0.5},
            {"number": [4, 5], "text": "HELLO", "text_bytes": HELLO, "decimal": NAN},
        ),
    ),
    (
        "several",
        {"inputs": {"number": [[1, 2]], "text": ["foo"], "decimal": [1.0]}},
        {
            "outputs": {
                "number": [[2, 3]],
                "text": ["FOO"],
                "text_bytes": [{"b64": "Zm9v"}],
                "decimal": [0.5],
            }
        },
    ),
    ("square", rows([[1, 2, 3], [4, 5, 6]]), predictions(21)),
    ("total", {"inputs": [1, 2]}, {"outputs": 3.0}),
    ("uneven", {"inputs": [1, 2]}, {"outputs": {"y": [1.0, 2.0], "z": [2.0]}}),
    # Of duplicate keys the first counts; what follows the document is ignored.
    ("", '{"instances": [1.0], "instances": [2.0]}', predictions(2.5)),
    ("", '{"instances": [{"x": 1.0, "x": 2.0}]}', predictions(2.5)),
    ("", '{"inputs": {"x": [1.0], "x": [2.0]}}', {"outputs": [2.5]}),
    ("int32", '{"signature_name": "float32", "instances": [1]}', predictions(1)),
    ("", '{"instances": [1.0]} X', predictions(2.5)),
    ("", ' \r\n\t{"instances": [1.0]}}', predictions(2.5)),
    ("", '\ufeff{"instances": [1.0]}', predictions(2.5)),
]
PREDICT_ERRORS = [
    # The document.
    ("", "", "document is empty"),
    ("", "instances = [1, 2]", "JSON Parse error: Invalid value"),
    ("", '{"instances": "x", "instances": [1.0]}', "to be an list/array"),
    ("", 'X {"instances": [1.0]}', "JSON Parse error"),
    ("", '{"instances": [In]}', "JSON Parse error"),
    ("", '{"instances": [Infinite]}', "JSON Parse error"),
    ("", '{"instances": [1.0,]}', "JSON Parse error"),
    ("", "{'instances': [1.0]}", "JSON Parse error"),
    ("", b'{"instances": ["\xff"]}', "JSON Parse error"),
    ("string", '{"signature_name": "string", "instances": ["\\ud800"]}', "surrogates"),
    ("", '{"instances": [1e999]}', "too big"),
    ("", '{"instances": [1e309]}', "too big"),
    ("", '{"instances": [-1.5e0000000400]}', "too big"),
    ("", '{"instances": [1%s.0]}' % ("0" * 400), "too big"),
    ("", '{"instances": [1%s]}' % ("0" * 5000), "too big"),
    ("", "[1, 2]", "Is not object"),
    ("", "null", "Is not object"),
    ("", {"signature_name": 5, "instances": [1.0]}, "must be a string value"),
    ("", {"signature_name": None, "instances": [1.0]}, "must be a string value"),
    ("nope", rows(1.0), '"nope" not found in signature def'),
    ("", {"instances": [1.0], "inputs": [1.0]}, "Not formatted correctly expecting only one"),
    ("", {}, "Missing 'inputs' or 'instances' key"),
    ("", {"examples": [{"x": 1.0}]}, "Missing 'inputs' or 'instances' key"),
    ("", {"instances": {"x": [1.0]}}, "to be an list/array"),
    ("", {"instances": 1.0}, "to be an list/array"),
    ("", {"instances": []}, "No values in 'instances'"),
    ("constant", rows(1.0), "Failed to get input map"),
    ("constant", {"inputs": {}}, "Failed to get input map"),
    # Ragged lists.
    ("int32", rows([1, 2], [3, 4], [5, 6, 7]), "expecting tensor size: 2 but got"),
    ("int32", rows([1, 2], [3, 4], [[5, 6]]), "ragged"),
    ("int32", rows(1, [1]), "unexpected level"),
    ("int32", rows([1], 1), "ragged"),
    ("int32", rows([[1], 2]), "ragged"),
    ("int32", {"inputs": [[1, 2], [3]]}, "ragged"),
    ("int32", rows([], [1]), "ragged"),
    # Types.
    ("int32", rows([1, 2], ["a", "b"]), "not of expected type: int32"),
    ("", rows("x"), "not of expected type: float"),
    ("", rows(None), "not of expected type: float"),
    ("", rows(True), "not of expected type: float"),
    ("", rows(HELLO), "not of expected type: float"),
    ("", {"inputs": {"x": {"y": 1.0}}}, "not of expected type: float"),
    ("int32", rows(1.0), "not of expected type: int32"),
    ("int32", rows(1e3), "not of expected type: int32"),
    ("uint8", rows(0.5), "not of expected type: uint8"),
    ("uint8", rows(2**31), "not of expected type: uint8"),
    ("int32", rows(2**31), "not of expected type: int32"),
    ("int64", rows(2**63), "not of expected type: int64"),
    ("uint32", rows(-1), "not of expected type: uint32"),
    ("uint32", rows(2**32), "not of expected type: uint32"),
    ("uint64", rows(2**64), "not of expected type: uint64"),
    ("bool", rows(1), "not of expected type: bool"),
    ("string", rows(1), "not of expected type: string"),
    ("string", rows(["a", None]), "not of expected type: string"),
    ("int64", rows(2**64), "not of expected type: int64"),  # beyond 64 bits it is a float
    # An element of `instances` makes each error one of the argument, and is named.
    ("uint16", rows(1), "element: 0 of 'instances' list. Error: UNIMPLEMENTED: Conversion of JSON"),
    ("float16", rows(1.0, 2.0), "element: 0 of 'instances' list. Error: UNIMPLEMENTED"),
    ("int32", rows(1, 2, "a"), "element: 2 of 'instances' list. Error: INVALID_ARGUMENT"),
    ("several", rows({"number": [1, 2], "text": 1, "decimal": 1}), "element: 0 key: text of"),
    ("int32", rows([1], [1, 2]), "Failed to process an element of 'instances' list"),
    # Base64.
    ("string", rows({"b64": "a-_b"}), "base64 decode"),
    ("string", rows({"b64": "a"}), "base64 decode"),
    ("string", rows({"b64": "aGVsbG8=="}), "base64 decode"),
    ("string", rows({"b64": "YQ="}), "base64 decode"),
    ("string", rows({"b64": "YWJj="}), "base64 decode"),
    ("string", rows({"b64": "Y=Q="}), "base64 decode"),
    ("string", rows({"b64": "===="}), "base64 decode"),
    ("string", rows({"b64": "Ω"}), "base64 decode"),
    ("string", {"inputs": {"x": [{"b64": 5}]}}, "not formatted correctly for base64"),
    ("string", {"inputs": [{"b64": "aA==", "c": 1}]}, "not formatted correctly for base64"),
    # Names.
    ("several", rows([1, 2]), "instances is a plain list"),
    ("several", {"inputs": [1, 2]}, "inputs is a plain value/list"),
    ("several", {"inputs": {"number": [[1, 2]], "text": ["a"]}}, "Missing named input: decimal"),
    ("several", rows({"number": [1, 2], "text": "a"}), "decimal"),
    ("", rows({"x": 1.0, "y": 2.0}), "keys must be equal to: x"),
    ("", rows({"y": 1.0}), "keys must be equal to: x"),
    ("", rows({}), "keys must be equal to: x"),
    ("", rows({"x": 1.0}, [2.0]), "Expecting object but got list at item 1"),
    ("string", rows(["a"], {"x": ["b"]}), "Expecting value/list but got object at item 1"),
    # What the model refuses, and batches that are none.
    ("square", rows([[1, 2], [3, 4]]), "[-1, 2, 3]"),
    ("square", rows(1), "[-1, 2, 3]"),
    ("finite", rows(NAN), "x must be finite."),
    ("total", {"inputs": 1.0}, "equal 0th-dimension size"),
    ("", rows(*[1.0] * 65), "larger than the maximum, 64"),
    ("several", {"inputs": {"number": [[1, 2]], "text": ["a", "b"], "decimal": [1]}}, "0th-dim"),
    ("total", rows(1.0), "inconsistent batch size"),
    ("uneven", rows(1.0, 2.0), "inconsistent batch size"),
    ("none", rows(1.0), "invalid batch size: 0"),
    ("half", rows(1.0), "tensor type: float16"),
    ("complex", rows(1.0), "tensor type: complex64"),
]


@pytest.mark.parametrize(("signature", "body", "expected"), PREDICT)
def test_predict(server, signature, body, expected):
    if isinstance(body, str):
        body = body.replace("{", f'{{"signature_name": "{signature}", ', 1)
        signature = ""
    if isinstance(expected, str):
        expected = expected.replace("'", '"')
    check(server.predict(body, signature), expected)


@pytest.mark.parametrize(("signature", "body", "message"), PREDICT_ERRORS)
def test_predictions_that_are_refused(server, signature, body, message):
    check(server.predict(body, signature if isinstance(body, dict) else ""), (400, message))


@pytest.mark.parametrize(("dtype", "name"), [("float16", "half"), ("uint16", "uint16")])
def test_dtypes_without_a_form_in_json(server, dtype, name):
    body = {"inputs": [1]}
    check(server.predict(body, dtype), (501, f"Conversion of JSON Value: 1 to type: {name}"))


def test_a_model_without_outputs():
    with pytest.raises(Fault, match="empty tensor map"):
        predictions_json({}, is_rows=True)


X20 = [{"x": 20.0}]
CLASSIFY = [
    ("classify", {"examples": X20}, [[["", 12.0], ["", 0.0]]]),
    ("scores", {"examples": X20}, [[["", 12.0], ["", 0.0]]]),
    ("classes", {"examples": [{"name": "a"}]}, [[["a", 0.0], ["", 0.0]]]),
    (
        "classify",
        {
            "context": {"query": "pizza", "name": ["from the context"]},
            "examples": [
                {"name": "foo", "ratings": [8.0, 9.0], "age": 20},
                {"name": HELLO, "ratings": 6.0, "age": [1, True, False]},
                {"ratings": -INF, "unknown": [1, 2]},
            ],
        },
        [
            [["foo", 2.0], ["pizza", 37.0]],
            [["hello", 2.0], ["pizza", 8.0]],
            [["from the context", 2.0], ["pizza", -INF]],
        ],
    ),
    ("classify", {"examples": [{"ratings": [], "x": []}]}, [[["", 2.0], ["", 0.0]]]),
    ("classify", {"examples": [{"x": 0.4}]}, [[["", 2.2], ["", 0.0]]]),
    ("classify", {"examples": [{"ratings": [NAN]}]}, [[["", 2.0], ["", NAN]]]),
    ("classify", {"examples": [{}]}, [[["", 2.0], ["", 0.0]]]),
    ("classify", {"examples": [{"x": 1e39}]}, [[["", INF], ["", 0.0]]]),
    ("classify", {"examples": [{"x": 2**64}]}, [[["", 9.223372e18], ["", 0.0]]]),
    ("labels_and_more", {"examples": [{"name": "a"}]}, [[["a", 0.0], ["", 0.0]]]),
]
CLASSIFY_ERRORS = [
    ({"signature_name": ["a"], "examples": X20}, "'signature_name' key must be a string"),
    ({"context": [{"x": 1.0}], "examples": X20}, "Example must be JSON object"),
    ({"context": {}}, "key 'examples' is expected"),
    ({"instances": [1.0]}, "key 'examples' is expected"),
    ({"examples": {"x": 1.0}}, "list/array"),
    ({"examples": []}, "empty array"),
    ({"examples": [X20]}, "Example must be JSON object"),
    ({"examples": [{"age": [10, None]}]}, "age has element with unexpected JSON type"),
    ({"examples": [{"age": [10, 10.0]}]}, "element type in feature: age"),
    ({"examples": [{"age": [10, "a"]}]}, "element type in feature: age"),
    ({"examples": [{"age": [10, {"test": 10}]}]}, "age"),
    ({"examples": [{"age": [[10], 20]}]}, "age has element with unexpected JSON type"),
    ({"examples": [{"age": [20, 2**64 - 13]}]}, "Only int64_t is supported"),
    ({"examples": [{"age": [20, 2**64]}]}, "element type in feature: age"),  # it is a float
    ({"examples": [{"name": {"b64": "?"}}]}, "base64"),
    ({"examples": [{"x": 1}]}, "expected type: float"),  # by the model: an integer is no float
    ({"examples": [{"x": [1.0, 2.0]}]}, "x"),
    ({"signature_name": "nope", "examples": X20}, "No signature was found with the name: nope"),
    ({"signature_name": "serving_default", "examples": X20}, "classification signature"),
    ({"signature_name": "three", "examples": X20}, "classification signature"),
    ({"signature_name": "flat", "examples": X20}, "[batch_size, num_classes]"),
    ({"signature_name": "wide", "examples": X20}, "float32"),
    ({"examples": X20 * 65}, "larger than the maximum, 64"),
    ("", "document is empty"),
    ('{"examples": [{"\\udc00": 1.0}]}', "surrogates"),
]


@pytest.mark.parametrize(("signature", "body", "results"), CLASSIFY)
def test_classify(server, signature, body, results):
    body = {"signature_name": signature} | body
    check(server.ask("POST", "/v1/models/zoo:classify", body), {"results": results})


@pytest.mark.parametrize(("body", "message"), CLASSIFY_ERRORS)
def test_classifications_that_are_refused(server, body, message):
    if isinstance(body, dict):
        body = {"signature_name": "classify"} | body
    check(server.ask("POST", "/v1/models/zoo:classify", body), (400, message))


# Method, path after /v1, status, and what the error says.
PATHS = [
    ("GET", "/foo", 400, "Malformed request"),
    ("POST", "/foo", 400, "Malformed request"),
    ("GET", "/models", 400, "Missing model name"),
    ("POST", "/models", 400, "Malformed request"),
    ("GET", "/models/zoo:predict", 400, "Malformed request"),
    ("PUT", "/models/zoo:predict", 400, "Malformed request"),
    ("DELETE", "/models/zoo", 400, "Malformed request"),
    ("POST", "/models/zoo", 400, "Malformed request"),
    ("POST", "/models/zoo/metadata", 400, "Malformed request"),
    ("POST", "/models/zoo:predict/", 400, "Malformed request"),
    ("POST", "/models/zoo:explain", 400, "Malformed request"),
    ("POST", "/models/zoo/version/123:predict", 400, "Malformed request"),
    ("POST", "/models/zoo/versions/HELLO:predict", 400, "Malformed request"),
    ("POST", "/models/zoo/versions/-1:predict", 400, "Malformed request"),
    ("POST", "/models/zoo/versions/%D9%A1:predict", 400, "Malformed request"),
    ("POST", "/models/zoo/versions/123/labels/stable:predict", 400, "Malformed request"),
    ("POST", f"/models/zoo/versions/{2**64 - 1}:predict", 400, "Failed to convert version"),
    ("GET", f"/models/zoo/versions/{2**63}", 400, "Failed to convert version"),
    ("GET", f"/models/zoo/versions/{'9' * 5000}", 400, "Failed to convert version"),
    ("POST", "/models/foo:predict", 404, "foo"),
    ("POST", "/models/foo/versions/50:predict", 404, "Specific(foo, 50)"),
    ("POST", "/models/zoo99:predict", 404, "zoo99"),
    ("POST", "/models/zoo/versions/99:predict", 404, "Specific(zoo, 99)"),
    ("POST", "/models/zoo/labels/nope:predict", 400, "Unrecognized servable version label: nope"),
    ("POST", "/models/foo/labels/stable:predict", 400, "Unrecognized servable version label"),
    ("GET", "/models/foo", 404, "Could not find any versions of model foo"),
    ("GET", "/models/zoo/versions/99", 404, "Could not find version 99 of model zoo"),
    ("GET", "/models/foo/metadata", 404, "foo"),
    ("GET", "/models/zoo/labels/nope/metadata", 400, "Unrecognized servable version label"),
    # The query string, and what would be a fragment, are a part of the path.
    ("POST", "/models/zoo:predict?a=b", 400, "Malformed request: POST /v1/models/zoo:predict?a=b"),
    ("POST", "/models/zoo:predict?", 400, "Malformed request"),
    ("POST", "/models/zoo?a=b:predict", 404, "Latest(zoo?a=b)"),
    ("GET", "/models/zoo?x=1", 404, "Could not find any versions of model zoo?x=1"),
    ("GET", "/models/zoo/versions/123?x=1", 400, "Malformed request"),
    ("GET", "/models/zoo/metadata?x=1", 400, "Malformed request"),
    ("GET", "/models?x=1", 400, "Malformed request"),
    # Letters of the path may be large or small, those of the API may not.
    ("POST", "/models/zoo:PREDICT", 400, "Malformed request: POST /v1/models/zoo:PREDICT"),
    ("POST", "/models/zoo:Classify", 400, "Malformed request"),
    ("GET", "/models/", 400, "Malformed request"),
    ("GET", "/models/versions/123", 400, "Missing model name"),
    ("OPTIONS", "/models/zoo:predict", 400, "Origin header is missing in CORS preflight"),
]


@pytest.mark.parametrize(("method", "path", "status", "message"), PATHS)
def test_paths_that_lead_nowhere(server, method, path, status, message):
    body = rows(1.0) if method in ("POST", "PUT") else None
    check(server.ask(method, "/v1" + path, body), (status, message))


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/v1", "/V1", "/v1?x=1", "/v2/models/zoo", "/statuspage", "/monitoring/x"),
        "/monitoring/prometheus/metrics?x=1",
    ],
)
def test_what_is_not_under_v1(server, path):
    assert server.ask("GET", path).status == 404


@pytest.mark.parametrize(
    ("api", "body", "message"),
    [
        ("predict", "not json", "JSON Parse error"),
        ("predict", {"signature_name": 5, "instances": [1.0]}, "must be a string value"),
        ("classify", {"examples": []}, "empty array"),
        ("regress", {"examples": []}, "empty array"),
    ],
)
def test_a_body_is_parsed_before_the_model_is_sought(server, api, body, message):
    check(server.ask("POST", f"/v1/models/nope:{api}", body), (400, message))


def test_the_model_is_sought_before_its_tensors_are_read(server):
    check(server.ask("POST", "/v1/models/nope:predict", {"instances": "x"}), (404, "Latest(nope)"))


def test_metadata_is_a_word_in_small_letters(server):
    check(server.ask("GET", "/v1/models/zoo/METADATA"), status_of(124, 123))


def test_regression_is_not_served(server):
    answer = server.ask("POST", "/v1/models/zoo:regress", {"examples": X20})
    check(answer, (400, "Regression is not served"))


@pytest.mark.parametrize("target", ["/v1/models/zoo%", "/v1/models/zoo/metadata%4", "/%zz"])
def test_a_broken_escape(server, target):
    connection = http.client.HTTPConnection(*server.address, timeout=20)
    connection.request("GET", target)  # urllib3 would put it right
    response = connection.getresponse()
    assert (response.status, "Malformed escape" in response.read().decode()) == (400, True)
    connection.close()


@pytest.mark.parametrize("origin", ["http://a.b", "https://a.b:1"])
def test_a_preflight_without_cors(server, origin):
    answer = server.ask("OPTIONS", "/v1/models/zoo:predict", Origin=origin)
    assert (answer.status, answer.text) == (200, "")
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(
    "path",
    [
        "/v1/models/zoo:predict",
        "/v1/models/zoo/versions/123:predict",
        "/v1/models/zoo/versions/0124:predict",
        "/v1/models/zoo/labels/stable:predict",
        "/v1/models/zoo/labels/a%20b%2Fc:predict",
        "/V1/Models/zoo/Versions/123:predict",
        "/v1/models/%7Aoo:predict",
    ],
)
def test_paths_to_a_model(server, path):
    check(server.ask("POST", path, rows(1.0)), predictions(2.5))


def test_a_name_with_everything_in_it(serving, save_plus, tmp_path):
    save_plus(tmp_path, 1)
    running = serving(tmp_path, name="a!#$%&'()*+,/:;=?@[] é", grpc_port=-1)
    try:
        path = "/v1/models/a%21%23%24%25%26%27%28%29%2A%2B%2C%2F%3A%3B%3D%3F%40%5B%5D%20%C3%A9"
        check(running.ask("POST", path + ":predict", rows(1.0)), predictions(2.5))
        assert running.ask("GET", path + "/metadata").json["model_spec"]["name"] == running.name
    finally:
        running.close()


def status_of(*versions):
    ok = {"error_code": "OK", "error_message": ""}
    entries = [{"version": str(v), "state": "AVAILABLE", "status": ok} for v in versions]
    return {"model_version_status": entries}


def test_status(server):
    check(server.ask("GET", "/v1/models/zoo"), status_of(124, 123))
    check(server.ask("GET", "/v1/models/zoo/versions/123"), status_of(123))


@pytest.mark.parametrize(
    ("path", "version"), [("", "124"), ("/versions/123", "123"), ("/labels/stable", "123")]
)
def test_metadata(server, path, version):
    document = server.ask("GET", f"/v1/models/zoo{path}/metadata").json
    spec = {"name": "zoo", "signature_name": "", "version": version}
    assert document["model_spec"] == spec
    signatures = document["metadata"]["signature_def"]["signature_def"]
    assert {"serving_default", "several", "classify"} <= signatures.keys()
    one = signatures["square"]
    assert one["method_name"] == "tensorflow/serving/predict"
    info = one["inputs"]["image"]
    assert info["dtype"] == "DT_UINT8"
    assert info["tensor_shape"] == {
        "dim": [{"size": size, "name": ""} for size in ("-1", "2", "3")],
        "unknown_rank": False,
    }
    assert one["outputs"]["sum"]["dtype"] == "DT_INT32"
    op = signatures["__saved_model_init_op"]["outputs"]["__saved_model_init_op"]
    assert (op["dtype"], op["tensor_shape"]["unknown_rank"]) == ("DT_INVALID", True)


def test_the_versions_differ_in_nothing_but_their_number(server):
    one = {"number": [1, 2], "text": "a", "decimal": 0.3}
    body = {"signature_name": "several", "instances": [one]}
    answers = [
        server.ask("POST", f"/v1/models/zoo/versions/{version}:predict", body)
        for version in (123, 124)
    ]
    assert answers[0].text == answers[1].text


def test_metrics(server):
    text = server.ask("GET", "/monitoring/prometheus/metrics").text
    assert ':tensorflow:serving:request_count{API="predict",entrypoint="REST"' in text


def test_a_gzipped_body(server):
    body = gzip.compress(json.dumps(rows(1.0)).encode())
    path = "/v1/models/zoo:predict"
    check(server.ask("POST", path, body, **{"Content-Encoding": "gzip"}), predictions(2.5))


def test_other_encodings_are_not_decoded(server):
    body = zlib.compress(json.dumps(rows(1.0)).encode())
    answer = server.ask("POST", "/v1/models/zoo:predict", body, **{"Content-Encoding": "deflate"})
    check(answer, (400, "JSON Parse error"))


def test_a_long_header(server):
    answer = server.ask("POST", "/v1/models/zoo:predict", rows(1.0), X="a" * 20_000)
    check(answer, predictions(2.5))


# gRPC


@pytest.fixture(scope="module")
def stub(server):
    return prediction_service_pb2_grpc.PredictionServiceStub(server.channel)


def predict_request(inputs, signature="", outputs=(), **spec):
    request = predict_pb2.PredictRequest(output_filter=outputs)
    fill(request.model_spec, signature_name=signature, **spec)
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(
            value if isinstance(value, tensor_pb2.TensorProto) else tf.make_tensor_proto(value)
        )
    return request


def fill(spec, name="zoo", signature_name="", version=None, label=None):
    spec.name, spec.signature_name = name, signature_name
    if version is not None:
        spec.version.value = version
    if label is not None:
        spec.version_label = label


def refused(call, request):
    """Sends a request that must fail; returns the code and the message of the error."""
    with pytest.raises(grpc.RpcError) as error:
        call(request, timeout=20)
    return error.value.code().name, error.value.details()


SEVERAL = {
    "number": np.array([[1, 2]], np.int32),
    "text": np.array([b"\xffa"]),
    "decimal": np.array([0.2], np.float32),
}


@pytest.mark.parametrize(
    ("spec", "version"),
    [({}, 124), ({"version": 123}, 123), ({"label": "stable"}, 123), ({"label": "a b/c"}, 124)],
)
def test_grpc_predict(server, stub, spec, version):
    del server
    response = stub.Predict(predict_request({"x": np.float32([2, 4])}, **spec), timeout=20)
    assert response.outputs.keys() == {"y"}
    assert response.outputs["y"].dtype == types_pb2.DT_FLOAT
    assert list(response.outputs["y"].float_val) == [3.0, 4.0]  # not in tensor_content
    assert response.model_spec.name == "zoo"
    assert response.model_spec.signature_name == "serving_default"
    assert response.model_spec.version.value == version


def test_grpc_outputs_and_filter(stub):
    response = stub.Predict(predict_request(SEVERAL, "several"), timeout=20)
    outputs = {name: tf.make_ndarray(value) for name, value in response.outputs.items()}
    expected = {
        "number": np.int32([[2, 3]]),
        "text": np.array([b"\xffA"], object),
        "text_bytes": np.array([b"\xffa"], object),
        "decimal": np.float32([0.1]),
    }
    np.testing.assert_equal(outputs, expected)
    assert response.model_spec.signature_name == "several"
    request = predict_request(SEVERAL, "several", ["text_bytes", "number"])
    assert stub.Predict(request, timeout=20).outputs.keys() == {"number", "text_bytes"}


@pytest.mark.parametrize(
    ("dtype", "field"),
    [
        ("float32", "float_val"),
        ("float64", "double_val"),
        ("int8", "int_val"),
        ("int32", "int_val"),
        ("uint8", "int_val"),
        ("int64", "int64_val"),
        ("uint32", "uint32_val"),
        ("uint64", "uint64_val"),
        ("bool", "bool_val"),
        ("float16", "half_val"),
    ],
)
def test_grpc_values_by_dtype(stub, dtype, field):
    x = np.array([[0, 1, 1], [1, 0, 1]], dtype)
    output = stub.Predict(predict_request({"x": x}, dtype), timeout=20).outputs["y"]
    np.testing.assert_array_equal(tf.make_ndarray(output), x)
    assert output.dtype == tf.dtypes.as_dtype(dtype).as_datatype_enum
    if dtype != "float16":
        assert len(getattr(output, field)) == 6 and not output.tensor_content


def test_grpc_without_examples(stub):
    for dtype in ("float32", "string"):
        x = tf.make_tensor_proto([], dtype, shape=[0, 3])
        output = stub.Predict(predict_request({"x": x}, dtype), timeout=20).outputs["y"]
        assert tf.make_ndarray(output).shape == (0, 3)


def test_grpc_one_value_stands_for_all(stub):
    x = tensor_pb2.TensorProto(dtype=types_pb2.DT_FLOAT, float_val=[3.0])
    x.tensor_shape.dim.add().size = 4
    output = stub.Predict(predict_request({"x": x}), timeout=20).outputs["y"]
    assert list(output.float_val) == [3.5] * 4


def test_grpc_the_last_string_stands_for_those_that_are_missing(stub):
    for values, wanted in (
        ([b"a", b"b"], [b"a", b"b", b"b"]),
        ([b"a"], [b"a"] * 3),
        ([], [b""] * 3),
    ):
        x = tensor_pb2.TensorProto(dtype=types_pb2.DT_STRING, string_val=values)
        x.tensor_shape.dim.add().size = 3
        output = stub.Predict(predict_request({"x": x}, "string"), timeout=20).outputs["y"]
        assert list(output.string_val) == wanted


ONE = {"x": np.float32([1])}
GRPC_ERRORS = {
    "no model": (predict_pb2.PredictRequest(), "INVALID_ARGUMENT", "Missing ModelSpec"),
    "unknown model": (predict_request(ONE, name="foo"), "NOT_FOUND", "foo"),
    "unknown version": (predict_request(ONE, version=9), "NOT_FOUND", "Specific(zoo, 9)"),
    "negative version": (predict_request(ONE, version=-1), "NOT_FOUND", "zoo"),
    "no name": (predict_request(ONE, name=""), "INVALID_ARGUMENT", "has no name specified"),
    "empty label": (predict_request(ONE, label=""), "INVALID_ARGUMENT", "version label: "),
    "unknown label": (predict_request(ONE, label="no"), "INVALID_ARGUMENT", "version label: no"),
    "unknown signature": (predict_request(ONE, "no"), "FAILED_PRECONDITION", '"no" not found'),
    "unknown output": (
        predict_request(ONE, outputs=["no"]),
        "INVALID_ARGUMENT",
        "output tensor alias not found in signature: no",
    ),
    "output twice": (
        predict_request(ONE, outputs=["y", "y"]),
        "INVALID_ARGUMENT",
        "duplicate output tensor alias: y",
    ),
    "no input": (predict_request({}), "INVALID_ARGUMENT", "Missing but required: {x}"),
    "another input": (predict_request({"z": 1.0}), "INVALID_ARGUMENT", "Sent extra: {z}"),
    "one more input": (predict_request(ONE | {"z": 1.0}), "INVALID_ARGUMENT", "extra: {z}"),
    "float64": (predict_request({"x": np.array([1.0])}), "INVALID_ARGUMENT", "float32"),
    "string": (predict_request({"x": np.array([b"1"])}), "INVALID_ARGUMENT", "float32"),
    "scalar": (predict_request({"x": np.float32(1)}), "INVALID_ARGUMENT", "0th-dimension"),
    "shape": (
        predict_request({"image": np.zeros((1, 3, 2), np.uint8)}, "square"),
        "INVALID_ARGUMENT",
        "[-1, 2, 3]",
    ),
    "65 examples": (predict_request({"x": np.zeros(65, np.float32)}), "INVALID_ARGUMENT", "64"),
    "NaN": (predict_request({"x": np.float32([NAN])}, "finite"), "INVALID_ARGUMENT", "finite"),
}


@pytest.mark.parametrize("case", GRPC_ERRORS)
def test_grpc_predictions_that_are_refused(server, stub, case):
    request, code, message = GRPC_ERRORS[case]
    got = refused(stub.Predict, request)
    assert got[0] == code and message in got[1], got
    server.alive()


def bomb(dtype, *sizes, unknown=False, **values):
    proto = tensor_pb2.TensorProto(dtype=dtype, **values)
    for size in sizes:
        proto.tensor_shape.dim.add().size = size
    proto.tensor_shape.unknown_rank = unknown
    return proto


FLOAT, STRING = types_pb2.DT_FLOAT, types_pb2.DT_STRING
BOMBS = {
    "huge": bomb(FLOAT, 2**40, float_val=[1.0]),
    "product": bomb(FLOAT, 2**20, 2**20, 2**20, 2**20, float_val=[1.0]),
    "overflow": bomb(FLOAT, 2**62, 4, float_val=[1.0]),
    "overflow to zero": bomb(FLOAT, 2**63 - 1, 2**63 - 1, 0, 2**63 - 1),
    "empty, but not small": bomb(FLOAT, 2**40),
    "strings": bomb(STRING, 2**40, string_val=[b"a"]),
    "negative": bomb(FLOAT, -1, float_val=[1.0]),
    "negative twice": bomb(FLOAT, -1, -1, float_val=[1.0]),
    "negative, large": bomb(FLOAT, -(2**20), -(2**5), float_val=[1.0]),
    "too many values": bomb(FLOAT, 1, float_val=[1.0, 2.0]),
    "short content": bomb(FLOAT, 2, tensor_content=b"abc"),
    "half a float": bomb(FLOAT, 1, tensor_content=b"abc"),
    "no type": bomb(types_pb2.DT_INVALID, 1, float_val=[1.0]),
    "resource": bomb(types_pb2.DT_RESOURCE, 1),
    "variant": bomb(types_pb2.DT_VARIANT, 1),
    "reference": bomb(types_pb2.DT_FLOAT_REF, 1, float_val=[1.0]),
    "unknown type": bomb(9999, 1),
    "unknown rank": bomb(FLOAT, unknown=True, float_val=[1.0]),
    "rank 300": bomb(FLOAT, *[1] * 300, float_val=[1.0]),
}


@pytest.mark.parametrize("case", BOMBS)
@pytest.mark.parametrize("signature", ["serving_default", "string"])
def test_grpc_tensors_that_lie(server, stub, case, signature):
    code, message = refused(stub.Predict, predict_request({"x": BOMBS[case]}, signature))
    assert code == "INVALID_ARGUMENT" and message, (code, message)
    if case.startswith(("huge", "product", "overflow", "negative", "empty")):
        assert "too " in message or "cannot have the shape" in message  # nothing was made
    server.alive()


def test_grpc_many_tensors_that_are_large_each(server, stub):
    """The tensors are not read if their names are not those of the signature."""
    one = bomb(types_pb2.DT_UINT8, 2**28, int_val=[1])
    request = predict_request({f"x{i}": one for i in range(1000)})
    code, message = refused(stub.Predict, request)
    assert code == "INVALID_ARGUMENT" and "Sent extra" in message
    server.alive()


def example(**features):
    kinds = {bytes: "bytes_list", float: "float_list", int: "int64_list"}
    message = tf.train.Example()
    for name, value in features.items():
        getattr(message.features.feature[name], kinds[type(value)]).value.append(value)
    return message


def classification_request(*examples, context=None, signature="classify", **spec):
    request = classification_pb2.ClassificationRequest()
    fill(request.model_spec, signature_name=signature, **spec)
    if context is not None:
        request.input.example_list_with_context.context.CopyFrom(context)
        request.input.example_list_with_context.examples.extend(examples)
    elif examples:
        request.input.example_list.examples.extend(examples)
    return request


def classified(response):
    return [[(c.label, c.score) for c in one.classes] for one in response.result.classifications]


def test_grpc_classify(stub):
    request = classification_request(example(x=2.0), example(name=b"a", age=3), version=123)
    response = stub.Classify(request, timeout=20)
    assert classified(response) == [[("", 3.0), ("", 0.0)], [("a", 2.0), ("", 3.0)]]
    assert response.model_spec.name == "zoo"
    assert response.model_spec.signature_name == "classify"
    assert response.model_spec.version.value == 123


def test_grpc_classify_with_context(stub):
    context = example(query=b"pizza", name=b"context", x=2.0)
    request = classification_request(example(name=b"a"), example(x=4.0), context=context)
    response = stub.Classify(request, timeout=20)
    assert classified(response) == [
        [("a", 3.0), ("pizza", 0.0)],
        [("context", 4.0), ("pizza", 0.0)],
    ]


@pytest.mark.parametrize("signature", ["classes", "scores"])
def test_grpc_classify_with_one_output(stub, signature):
    response = stub.Classify(
        classification_request(example(name=b"a", x=2.0), signature=signature), timeout=20
    )
    expected = {"classes": [("a", 0.0), ("", 0.0)], "scores": [("", 3.0), ("", 0.0)]}
    assert classified(response) == [expected[signature]]


X2 = example(x=2.0)
GRPC_CLASSIFY_ERRORS = [
    (classification_request(), "INVALID_ARGUMENT", "Input is empty"),
    (classification_request(context=X2), "INVALID_ARGUMENT", "Input is empty"),
    (classification_pb2.ClassificationRequest(), "INVALID_ARGUMENT", "Missing ModelSpec"),
    (classification_request(X2, name="foo"), "NOT_FOUND", "foo"),
    (classification_request(X2, signature="no"), "INVALID_ARGUMENT", "with the name: no"),
    (classification_request(X2, signature=""), "INVALID_ARGUMENT", "classification signature"),
    (classification_request(X2, signature="flat"), "INVALID_ARGUMENT", "num_classes"),
    (classification_request(example(x=2)), "INVALID_ARGUMENT", "expected type: float"),
    (classification_request(*[X2] * 65), "INVALID_ARGUMENT", "larger than the maximum"),
]


@pytest.mark.parametrize(("request_", "code", "message"), GRPC_CLASSIFY_ERRORS)
def test_grpc_classifications_that_are_refused(stub, request_, code, message):
    got = refused(stub.Classify, request_)
    assert got[0] == code and message in got[1], got


def metadata_request(*fields, **spec):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=fields)
    if spec:
        fill(request.model_spec, **spec)
    return request


def test_grpc_metadata(stub):
    response = stub.GetModelMetadata(metadata_request("signature_def", version=123), timeout=20)
    assert (response.model_spec.name, response.model_spec.version.value) == ("zoo", 123)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(signatures)
    one = signatures.signature_def["several"]
    assert set(one.inputs) == {"number", "text", "decimal"}
    assert one.inputs["number"].dtype == types_pb2.DT_INT32
    assert [dim.size for dim in one.inputs["number"].tensor_shape.dim] == [-1, 2]


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        (metadata_request(name="zoo"), "INVALID_ARGUMENT", "at least one metadata_field"),
        (metadata_request("lite", name="zoo"), "INVALID_ARGUMENT", "lite is not supported"),
        (metadata_request("signature_def"), "INVALID_ARGUMENT", "Missing ModelSpec"),
        (metadata_request("signature_def", name="foo"), "NOT_FOUND", "foo"),
    ],
)
def test_grpc_metadata_that_is_refused(stub, request_, code, message):
    got = refused(stub.GetModelMetadata, request_)
    assert got[0] == code and message in got[1], got


def test_grpc_status(server):
    ask = model_service_pb2_grpc.ModelServiceStub(server.channel).GetModelStatus
    request = get_model_status_pb2.GetModelStatusRequest()
    assert refused(ask, request) == ("INVALID_ARGUMENT", "Missing ModelSpec")
    fill(request.model_spec, name="")
    assert refused(ask, request) == ("NOT_FOUND", "Could not find any versions of model ")
    fill(request.model_spec)
    available = get_model_status_pb2.ModelVersionStatus.AVAILABLE
    states = {s.version: (s.state, s.status.error_code) for s in ask(request).model_version_status}
    assert states == {123: (available, 0), 124: (available, 0)}
    fill(request.model_spec, version=123)
    assert [s.version for s in ask(request).model_version_status] == [123]
    fill(request.model_spec, version=5)
    assert refused(ask, request) == ("NOT_FOUND", "Could not find version 5 of model zoo")
    fill(request.model_spec, name="foo", version=5)
    assert refused(ask, request)[0] == "NOT_FOUND"


@pytest.mark.parametrize(
    "service",
    ["", "tensorflow.serving.PredictionService", "tensorflow.serving.ModelService"],
)
def test_grpc_health(server, service):
    check_health = health_pb2_grpc.HealthStub(server.channel).Check
    response = check_health(health_pb2.HealthCheckRequest(service=service), timeout=20)
    assert response.status == health_pb2.HealthCheckResponse.SERVING


def test_grpc_what_is_not_served(stub):
    regression = regression_pb2.RegressionRequest()
    assert refused(stub.Regress, regression)[0] == "UNIMPLEMENTED"
    inference = inference_pb2.MultiInferenceRequest()
    assert refused(stub.MultiInference, inference)[0] == "UNIMPLEMENTED"


# docs/openapi.yaml


@pytest.fixture(scope="module")
def api():
    return description()


def test_the_description_is_openapi(api):
    OpenAPIV31SpecValidator(api).validate()
    operations = [item[m] for item in api["paths"].values() for m in ("get", "post") if m in item]
    assert len({operation["operationId"] for operation in operations}) == len(operations) == 12


M = "/v1/models/{model}"
NUMBER = {"model": "zoo", "version": 123, "label": "stable"}
DESCRIBED = [
    *(("POST", f"{M}{which}:predict", rows(1.0), 200) for which in ("", "/versions/{version}")),
    *(("POST", f"{M}/labels/{{label}}:predict", {"inputs": x}, 200) for x in ([1.0], {"x": [1.0]})),
    *(
        ("POST", f"{M}:predict", {"signature_name": signature} | body, 200)
        for signature, body, _ in PREDICT
        if isinstance(body, dict) and not isinstance(body.get("signature_name"), int)
    ),
    *(("POST", f"{M}:classify", {"signature_name": s} | body, 200) for s, body, _ in CLASSIFY),
    ("POST", f"{M}:classify", {"examples": X20}, 400),
    ("POST", f"{M}:predict", {"instances": ["a"]}, 400),
    ("POST", f"{M}:predict", {"signature_name": "float16", "inputs": [1]}, 501),
    *(("GET", f"{M}{which}", None, 200) for which in ("", "/versions/{version}")),
    *(
        ("GET", f"{M}{w}/metadata", None, 200)
        for w in ("", "/versions/{version}", "/labels/{label}")
    ),
]


@pytest.mark.parametrize(("method", "template", "body", "status"), DESCRIBED)
def test_requests_and_answers_are_as_described(server, api, method, template, body, status):
    if body is not None:
        described(api, method, template, 0).validate(body)
    answer = server.ask(method, template.format(**NUMBER), body)
    assert answer.status == status, answer.text
    described(api, method, template, status).validate(answer.json)


def test_what_is_not_found_is_as_described(server, api):
    for template in (f"{M}", f"{M}/metadata"):
        answer = server.ask("GET", template.format(model="foo"))
        described(api, "GET", template, 404).validate(answer.json)


@pytest.mark.parametrize(
    ("method", "template", "status", "document"),
    [
        ("POST", f"{M}:predict", 0, {"instances": []}),
        ("POST", f"{M}:predict", 0, {"instances": [1], "inputs": [1]}),
        ("POST", f"{M}:predict", 0, {"instances": [None]}),
        ("POST", f"{M}:predict", 0, {"signature_name": 5, "instances": [1]}),
        ("POST", f"{M}:predict", 200, {"predictions": [None]}),
        ("POST", f"{M}:predict", 200, {"error": "no"}),
        ("POST", f"{M}:predict", 400, {"predictions": [1]}),
        ("POST", f"{M}:classify", 0, {"examples": [[1]]}),
        ("POST", f"{M}:classify", 200, {"results": [[["a", "b"]]]}),
        ("POST", f"{M}:classify", 200, {"result": [[["a", 0.5]]]}),
        ("GET", M, 200, {"model_version_status": [{"version": 1, "state": "AVAILABLE"}]}),
        ("GET", f"{M}/metadata", 200, {"model_spec": {}, "metadata": {}}),
    ],
)
def test_the_description_excludes_something(api, method, template, status, document):
    with pytest.raises(jsonschema.ValidationError):
        described(api, method, template, status).validate(document)

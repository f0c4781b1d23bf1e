"""The clients, with a small server in this process that has TensorFlow Serving's APIs.

Most tests run three times: with seqclf's client over REST and over gRPC, and with the package
`seqclf_client`, which gives lists.
"""

import json
import pickle
import shutil
import socket
import subprocess
import sys
import threading
import time
import warnings

import fake_serving
import grpc
import numpy as np
import pytest
import seqclf_client
from hypothesis import given
from hypothesis import strategies as st
from tensorflow_serving.apis import classification_pb2, predict_pb2

from seqclf.client.address import parse_address
from seqclf.data.spec import DatasetSpec
from seqclf.errors import ConfigError, SeqclfError
from seqclf.serving import client as arrays_api
from seqclf.serving.client import connect
from seqclf.serving.model_facts import ModelFacts

WITH_ARRAYS = pytest.mark.parametrize("way", ["rest", "grpc"], indirect=True)
X = np.array([[3, 1, 2], [0.1, -0.0, 1e-30], [np.inf, 7, 1 / 3]], np.float32)
INPUTS = {"x": X, "n": np.array([0, 7, 255], np.uint8)}
CODE = grpc.StatusCode


@pytest.fixture(scope="module")
def serving():
    server = fake_serving.FakeServing()
    yield server
    server.close()


@pytest.fixture
def server(serving, monkeypatch):
    for package in ("seqclf.client", "seqclf_client"):
        monkeypatch.setattr(f"{package}.base.FIRST_PAUSE", 0.004)
    serving.faults.clear()
    serving.requests.clear()
    serving.states = [(1, "AVAILABLE", 0, "")]
    return serving


@pytest.fixture(params=["rest", "grpc", "lists"])
def way(request):
    return request.param


@pytest.fixture
def protocol(way):
    return "grpc" if way == "grpc" else "rest"


@pytest.fixture
def api(way):
    """The package of the client: its `connect` and its errors."""
    return seqclf_client if way == "lists" else arrays_api


@pytest.fixture(params=[arrays_api, seqclf_client], ids=["arrays", "lists"])
def rest_api(request):
    """The same, for what only REST has."""
    return request.param


@pytest.fixture
def ask(server, protocol, api):
    """Returns `connect` for the protocol's address."""
    clients = []

    def connected(suffix="", **options):
        url = server.rest_url if protocol == "rest" else server.grpc_url
        clients.append(api.connect(url + suffix, **{"timeout": 5.0, **options}))
        return clients[-1]

    yield connected
    for client in clients:
        client.close()


def config_error(api):
    """Returns the class of its complaints about arguments."""
    return getattr(api, "ConfigError", ConfigError)


def same(answer, wanted):
    assert list(answer) == sorted(wanted)
    for name, array in wanted.items():
        if isinstance(answer[name], list):
            assert answer[name] == array.tolist()
        else:
            assert answer[name].dtype == array.dtype
            np.testing.assert_array_equal(answer[name], array)


def wanted():
    outputs = fake_serving.predict("serving_default", INPUTS)
    return outputs | {"name": np.array(["Größe 0", "Größe 7", "Größe 255"], object)}


def refused(server, protocol, code, status, said="because"):
    """Makes the next request fail with this status or code."""
    server.faults.append((status, {"error": said}) if protocol == "rest" else (code, said))


# What is asked and answered


def test_predict_answers_what_the_model_computes(ask):
    same(ask().predict(INPUTS), wanted())


def test_lists_and_wider_types_are_taken_alike(ask):
    lists = {"x": X.astype(np.float64).tolist(), "n": [0, 7, 255]}
    same(ask().predict(lists), wanted())


def test_nan_comes_and_goes(ask):
    x = np.array([[np.nan, 0, 0], [-np.inf, 0, 0]], np.float32)
    answer = ask().predict({"x": x, "n": [1, 2]})
    np.testing.assert_array_equal(answer["sum"], np.array([np.nan, -np.inf], np.float32))


def test_text_becomes_str(ask):
    answer = ask().predict({"inputs": [["ä", "b"], [b"c", b"\xc3\x9f\x00"]]}, "names")
    same(answer, {"upper": np.array([["Ä", "B"], ["C", "SS\x00"]], object)})


@given(values=st.lists(st.binary(max_size=40), min_size=1, max_size=5))
def test_any_bytes_come_back(serving, values):
    with seqclf_client.connect(serving.rest_url) as client:
        answer = client.predict({"image_bytes": values}, "serving_bytes")
    assert answer == {"echo_bytes": [value[::-1] for value in values]}
    for url in (serving.rest_url, serving.grpc_url):
        with connect(url) as client:
            answer = client.predict({"image_bytes": values}, "serving_bytes")["echo_bytes"]
        assert answer.dtype == object and list(answer) == [value[::-1] for value in values]


@given(values=st.lists(st.floats(width=32, allow_nan=False), min_size=3, max_size=3))
def test_every_float32_survives_json(serving, values):
    for package in (arrays_api, seqclf_client):
        with package.connect(serving.rest_url) as client:
            raw = client.predict({"x": [values], "n": [0]})["raw_bytes"][0]
        assert raw == np.array(values, np.float32).tobytes()


def test_large_messages(ask):
    value = bytes(5_000_000)  # gRPC's own limit is 4 MiB
    answer = ask().predict({"image_bytes": [value]}, "serving_bytes")
    assert answer["echo_bytes"][0] == value


def test_many_examples_are_sent_in_batches(ask, server):
    x = np.arange(21, dtype=np.float32).reshape(7, 3)
    inputs = {"x": x, "n": np.arange(7, dtype=np.uint8)}
    answer = ask(max_batch=3).predict(inputs)
    assert server.asked("predict") == 3
    np.testing.assert_array_equal(answer["sum"], x.sum(axis=1))
    assert list(answer["name"]) == [f"Größe {i}" for i in range(7)]


def test_classify(ask, server):
    example = {
        "pixels": np.arange(6, dtype=np.uint8).reshape(2, 3),
        "mean": 0.1,
        "whole": [1.0, 2.0],
        "flags": [True, False],
        "raw": b"\xff\x00",
        "words": ["ä", "b"],
        "none": [],
    }
    answer = ask(max_batch=2).classify([example, {"mean": 0.25}, {}])
    assert server.asked("classify") == 2
    assert dict(answer[0]) == {
        "pixels:int64_list:6": 15.0,
        "mean:float_list:1": float(np.float32(0.1)),
        "whole:float_list:2": 3.0,
        "flags:int64_list:2": 1.0,
        "raw:bytes_list:1": 2.0,
        "words:bytes_list:2": 3.0,
        "none:None:0": 0.0,
    }
    assert answer[1:] == [[("mean:float_list:1", 0.25)], []]


def test_metadata_and_status(ask, server, api):
    signatures = ask().metadata()
    assert list(signatures) == ["names", "sequences", "serving_bytes", "serving_default"]
    assert signatures["serving_default"].inputs["x"] == api.TensorInfo("float32", (-1, 3))
    assert signatures["serving_default"].outputs["order"] == api.TensorInfo("int32", (-1, 3))
    assert signatures["names"].inputs["inputs"] == api.TensorInfo("string", (-1, 2))
    server.states = [(12, "END", 5, "no such op"), (11, "LOADING", 0, "")]
    assert ask().status() == [
        api.VersionStatus(12, "END", "no such op"),
        api.VersionStatus(11, "LOADING", ""),
    ]


def test_too_few_classifications(ask, server, protocol, api):
    empty = classification_pb2.ClassificationResponse()
    server.faults.append((200, {"results": []}) if protocol == "rest" else empty)
    with pytest.raises(api.BadAnswer, match="0 answers to 1 examples"):
        ask().classify([{}])


def test_versions_and_labels_are_named(ask, server, protocol):
    for suffix in ("/versions/3", "/labels/canary"):
        client = ask(suffix)
        client.predict(INPUTS)
        client.status()
        for path, _, message in server.requests:
            if protocol == "rest":
                assert path.startswith(f"/v1/models/m{suffix}")
            elif "versions" in suffix:
                assert message.model_spec.version.value == 3
            else:
                assert message.model_spec.version_label == "canary"
        server.requests.clear()


def test_metadata_is_asked_once_and_again_when_the_model_changes(ask, server, monkeypatch):
    client = ask()
    client.predict(INPUTS)
    client.predict(INPUTS)
    assert server.asked("metadata") == 1
    inputs, outputs = fake_serving.SIGNATURES["serving_default"]
    changed = ({"x": inputs["x"], "n": (fake_serving.INT, [None])}, outputs)
    monkeypatch.setitem(fake_serving.SIGNATURES, "serving_default", changed)
    assert list(client.predict(INPUTS | {"n": [-1, 0, 300]})["name"])[::2] == [
        "Größe -1",
        "Größe 300",
    ]
    assert server.asked("metadata") == 2


def test_headers_are_sent_and_never_shown(ask, server, protocol, api):
    client = ask(headers={"Authorization": "Bearer sesame-open", "X-Team": "a"})
    client.status()
    refused(server, protocol, CODE.UNAUTHENTICATED, 401, "a bad token: sesame-open")
    with pytest.raises(api.Unauthorized, match="a bad token: …") as caught:
        client.status()
    for _, headers, _ in server.requests:
        headers = {name.lower(): value for name, value in headers.items()}
        assert headers["authorization"] == "Bearer sesame-open" and headers["x-team"] == "a"
    assert "sesame" not in f"{caught.value!r} {client!r} {client.options!r}"


# Inputs that are probably wrong


def manifest(folder, content):
    path = folder / "manifest.json"
    path.write_text(content)
    return str(path)


@WITH_ARRAYS
def test_inputs_out_of_the_range_of_the_manifest(ask, tmp_path, api):
    known = manifest(tmp_path, '{"input_range": {"low": 0, "high": 16}}')
    sequence = {"inputs": [[[1.0], [255.0], [0.0]]], "lengths": [2]}
    client = ask(manifest=known)
    with pytest.warns(api.InputWarning, match="the inputs go from 1 to 255") as caught:
        assert client.predict(sequence, "sequences")["count"].tolist() == [2]
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        client.predict({"inputs": [[[1.0], [16.0]]], "lengths": [2]}, "sequences")
        ask().predict(sequence, "sequences")  # it does not know the range


@WITH_ARRAYS
def test_lengths_that_do_not_fit_the_padding(ask, api):
    client = ask()
    with pytest.warns(api.InputWarning, match="1 of 2 sequences end in time steps of zeros"):
        x = [[[1.0], [0.0], [0.0]], [[1.0], [2.0], [3.0]]]
        client.predict({"inputs": x, "lengths": [3, 3]}, "sequences")
    with pytest.warns(api.InputWarning, match="1 of 1 sequences have values other than 0 beyond"):
        client.predict({"inputs": [[[1.0], [2.0]]], "lengths": [1]}, "sequences")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "No such file"),
        ("junk", "Expecting value"),
        ("{}", "it has no `input_range`"),
        ("[]", "it holds no JSON object but list"),
        ('{"input_range": {"low": 2, "high": 1}}', "no range in `input_range`"),
        ('{"spec": {"source": "csv:a.csv"}}', "`spec` is damaged: "),
    ],
)
def test_a_manifest_that_cannot_be_used(tmp_path, content, why):
    path = str(tmp_path / "absent.json") if content is None else manifest(tmp_path, content)
    with pytest.raises(ConfigError, match="`manifest`: ") as caught:
        connect("http://h:1", manifest=path)
    assert why in str(caught.value)


def test_a_manifest_that_has_the_spec_but_no_range(tmp_path):
    spec = DatasetSpec("csv:a.csv", "rows", (6, 2), "float32", ("calm", "busy"))
    known = manifest(tmp_path, json.dumps({"spec": json.loads(spec.to_json())}))
    with connect("http://h:1", manifest=known) as client:
        assert client.facts == ModelFacts(spec)


# What goes wrong


@pytest.mark.parametrize(
    "status, code, kind, sent",
    [
        (400, CODE.INVALID_ARGUMENT, "InvalidRequest", 1),
        (400, CODE.FAILED_PRECONDITION, "InvalidRequest", 1),
        (413, CODE.OUT_OF_RANGE, "InvalidRequest", 1),
        (401, CODE.UNAUTHENTICATED, "Unauthorized", 1),
        (403, CODE.PERMISSION_DENIED, "Unauthorized", 1),
        (404, CODE.NOT_FOUND, "NotFound", 1),
        (429, CODE.RESOURCE_EXHAUSTED, "Unavailable", 3),
        (500, CODE.INTERNAL, "ServerFailed", 1),
        (501, CODE.UNIMPLEMENTED, "ServerFailed", 1),
        (500, CODE.UNKNOWN, "ServerFailed", 1),
        (503, CODE.UNAVAILABLE, "Unavailable", 3),
        (504, CODE.DEADLINE_EXCEEDED, "DeadlineExceeded", 1),
    ],
)
def test_every_status_has_its_error(ask, server, protocol, api, status, code, kind, sent):
    client = ask(retries=2)
    client.metadata()
    for _ in range(5):
        refused(server, protocol, code, status, "what the\nserver said")
    with pytest.raises(api.ServingError) as caught:
        client.predict(INPUTS)
    assert type(caught.value) is getattr(api, kind) and caught.value.exit_status == 1
    assert client.address.url in str(caught.value)
    assert "what the server said" in str(caught.value)
    assert ("(asked 3 times)" in str(caught.value)) == (sent == 3)
    assert server.asked("predict") == sent
    assert str(pickle.loads(pickle.dumps(caught.value))).startswith(client.address.url)


def test_a_busy_server_is_asked_again(ask, server, protocol):
    client = ask()
    client.metadata()
    refused(server, protocol, CODE.UNAVAILABLE, 503)
    refused(server, protocol, CODE.RESOURCE_EXHAUSTED, 429)
    same(client.predict(INPUTS), wanted())
    assert server.asked("predict") == 3


def test_attempts_end_when_the_time_is_up(ask, server, protocol, api):
    client = ask(retries=1000, timeout=0.4)
    client.status()
    for _ in range(1000):
        refused(server, protocol, CODE.UNAVAILABLE, 503)
    started = time.monotonic()
    with pytest.raises((api.Unavailable, api.DeadlineExceeded)):
        client.status()
    assert time.monotonic() - started < 2
    assert server.asked() > 4


def test_a_slow_server(ask, server, api):
    client = ask(timeout=0.3)
    client.metadata()
    server.faults.append(5.0)
    started = time.monotonic()
    with pytest.raises(api.DeadlineExceeded, match="more time"):
        client.predict(INPUTS)
    assert time.monotonic() - started < 2
    assert server.asked("predict") == 1


def test_batches_share_the_time(ask, server, api):
    client = ask(timeout=0.5, max_batch=1)
    client.metadata()
    server.faults += [0.4] * 3
    started = time.monotonic()
    with pytest.raises(api.DeadlineExceeded):
        client.predict(INPUTS)
    assert time.monotonic() - started < 1.1
    assert server.asked("predict") == 2


def test_nobody_listens(protocol, api):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{bound.getsockname()[1]}"
        url = f"http://{host}/v1/models/m" if protocol == "rest" else f"grpc://{host}/m"
        with api.connect(url, retries=1) as client:
            with pytest.raises(api.Unavailable, match=r"refused.*\(asked 2 times\).*runs at this"):
                client.predict(INPUTS)
            started = time.monotonic()
            with pytest.raises(api.DeadlineExceeded, match="not available within 0.3 s"):
                client.wait_until_available(0.3)
            assert time.monotonic() - started < 2


def test_waiting_for_a_model(ask, server, protocol, api):
    server.states = [(1, "LOADING", 0, "")]
    refused(server, protocol, CODE.NOT_FOUND, 404)
    timer = threading.Timer(0.25, lambda: server.states.append((2, "AVAILABLE", 0, "")))
    timer.start()
    ask().wait_until_available(5)
    server.states = [(1, "END", 3, "no such op")]
    with pytest.raises(api.DeadlineExceeded, match=r"version 1 is END \(no such op\)"):
        ask().wait_until_available(0.1)
    refused(server, protocol, CODE.PERMISSION_DENIED, 403)
    with pytest.raises(api.Unauthorized):
        ask().wait_until_available(5)
    refused(server, protocol, CODE.INVALID_ARGUMENT, 400)
    with pytest.raises(api.InvalidRequest):
        ask().wait_until_available(5)


def test_waiting_for_a_label(ask, server, protocol):
    refused(server, protocol, CODE.INVALID_ARGUMENT, 400, "Unrecognized servable version label")
    ask("/labels/stable").wait_until_available(5)
    assert server.asked() == 2


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"n": None}, "the inputs must be `n`, `x`. Received: `x`"),
        ({"extra": [1, 2, 3]}, "Received: `extra`, `n`, `x`"),
        ({"x": X[:2]}, "same number of examples. Received: {'n': 3, 'x': 2}"),
        ({"x": X[:0], "n": []}, "at least one example"),
        ({"x": X[:, :2]}, "`x` must be of shape [N, 3] (-1: any size). Received: [3, 2]"),
        ({"x": 1.0}, "Received: []"),
        ({"x": [[1, 2, 3], [4]]}, "`x` cannot be made an array"),
        (
            {"x": [["a", "b", "c"]] * 3},
            "`x` must be float32. Received: ",
        ),  # NumPy and Python name text in different ways,
        ({"n": [0, 1, 256]}, "`n` must lie in 0..255. Received: 0..256"),
        ({"n": [0.5, 1, 2]}, "`n` must be uint8. Received: float64"),
    ],
)
def test_inputs_that_do_not_fit_are_not_sent(ask, server, changes, message, api):
    inputs = {name: value for name, value in (INPUTS | changes).items() if value is not None}
    with pytest.raises(ValueError) as caught:
        ask().predict(inputs)
    assert isinstance(caught.value, api.InvalidRequest) and message in str(caught.value)
    assert server.asked("predict") == 0


def test_other_requests_that_are_not_sent(ask, server, api):
    client = ask()
    with pytest.raises(api.InvalidRequest, match="`signature` must be one of .*'other'"):
        client.predict(INPUTS, "other")
    with pytest.raises(api.InvalidRequest, match="must be bytes or str. Received: 1"):
        client.predict({"image_bytes": [1]}, "serving_bytes")
    with pytest.raises(api.InvalidRequest, match="at least one example"):
        client.classify([])
    with pytest.raises(api.InvalidRequest, match="`x` must be numbers, bytes or str"):
        client.classify([{"x": 1j}])
    with pytest.raises(api.InvalidRequest, match="must be a mapping .* Received: 'a'"):
        client.classify(["a"])
    client.close()
    with pytest.raises(ValueError, match="closed"):
        client.predict(INPUTS)
    assert server.asked("predict") + server.asked("classify") == 0


@pytest.mark.parametrize(
    "outputs, message",
    [
        ({"sum": [1.0] * 3}, "outputs .* instead of"),
        ({"sum": [1.0] * 2, "other": [1.0] * 3}, "outputs .* instead of"),
        (
            {"sum": [1.0] * 2, "order": [[1]] * 3, "name": ["a"] * 3, "raw_bytes": []},
            r"`raw_bytes` of shape \[0\] for 3|`sum` of shape \[2\] for 3",
        ),
    ],
)
def test_other_outputs_than_promised(ask, server, protocol, outputs, message, api):
    if protocol == "rest":
        fault = (200, {"outputs": outputs})
    else:
        fault = predict_pb2.PredictResponse()
        for name, value in outputs.items():
            fault.outputs[name].CopyFrom(fake_serving.tf.make_tensor_proto(value))
    client = ask()
    client.metadata()
    server.faults.append(fault)
    with pytest.raises(api.BadAnswer, match=message):
        client.predict(INPUTS)


# REST alone


@pytest.mark.parametrize(
    "status, body, kind, message",
    [
        (200, b"<html><head><title>x</title></head><p>Log in", "BadAnswer", "'Log in'"),
        (200, b"\xff\xfe", "BadAnswer", "no JSON"),
        (200, b"[]", "BadAnswer", "no `outputs`"),
        (200, b'{"outputs": [1, 2]}', "BadAnswer", "one output instead of"),
        (200, b'{"outputs": {"raw_bytes": [{"b64": "AAAA-_"}]}}', "BadAnswer", "aren't base64"),
        (302, b"", "BadAnswer", "a redirection to nowhere"),
        (404, b"<h1>Not here</h1>", "NotFound", "404 Not here"),
        (418, b"", "InvalidRequest", "418"),
        (502, b"<h1>Bad gateway</h1>", "Unavailable", "502 Bad gateway"),
        (400, b'{"error": {"code": 7}}', "InvalidRequest", '{"code": 7}'),
    ],
)
def test_pages_of_other_servers(server, status, body, kind, message, rest_api):
    with rest_api.connect(server.rest_url) as client:
        client.metadata()
        server.faults.append((status, body))
        with pytest.raises(getattr(rest_api, kind)) as caught:
            client.predict(INPUTS)
    assert message in str(caught.value) and server.asked("predict") == 1


@pytest.mark.parametrize(
    "value", [[1.5, 2], ["1", "2"], [[1], [1, 2]], None, [2**40, 0], {"b64": "AA=="}]
)
def test_values_that_are_not_of_the_promised_type(server, value, rest_api):
    with rest_api.connect(server.rest_url) as client:
        client.metadata()
        outputs = {"sum": [1, 2], "order": value, "name": ["a", "b"], "raw_bytes": []}
        server.faults.append((200, {"outputs": outputs}))
        with pytest.raises(rest_api.BadAnswer, match="order"):
            client.predict({"x": X[:2], "n": [1, 2]})


def test_redirections_are_not_followed(server, rest_api):
    with rest_api.connect(server.rest_url) as client:
        server.faults.append((307, b"", {"Location": "/v1/models/other"}))
        with pytest.raises(rest_api.BadAnswer, match="a redirection to /v1/models/other"):
            client.status()
    assert server.asked() == 1


def cut(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "100")
    handler.end_headers()
    handler.wfile.write(b"{")
    handler.close_connection = True


def hang_up(handler):
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


@pytest.mark.parametrize("fault", [cut, hang_up])
def test_a_broken_connection_is_tried_again(server, fault, rest_api):
    with rest_api.connect(server.rest_url, retries=2) as client:
        client.metadata()
        server.faults += [fault, fault]
        same(client.predict(INPUTS), wanted())
        server.faults += [fault] * 3
        with pytest.raises(rest_api.Unavailable, match=r"the connection broke.*\(asked 3 times\)"):
            client.status()


def drip(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "100")
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b" ")
        if handler.owner.closing.wait(0.05):
            return


def test_an_answer_that_never_ends(server, rest_api):
    with rest_api.connect(server.rest_url, timeout=0.25) as client:
        server.faults.append(drip)
        started = time.monotonic()
        with pytest.raises(rest_api.DeadlineExceeded, match="no answer within 0.25 s"):
            client.status()
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("pause, seconds", [("0", 0), ("1", 1), ("nonsense", 0)])
def test_retry_after_is_kept(server, pause, seconds, rest_api):
    with rest_api.connect(server.rest_url) as client:
        server.faults.append((503, b"", {"Retry-After": pause}))
        started = time.monotonic()
        assert client.status()
    assert seconds <= time.monotonic() - started < seconds + 0.9


def test_nobody_waits_longer_than_the_timeout(server, rest_api):
    with rest_api.connect(server.rest_url, timeout=2) as client:
        server.faults.append((503, {"error": "loading"}, {"Retry-After": "60"}))
        started = time.monotonic()
        with pytest.raises(rest_api.Unavailable, match="503 loading"):
            client.status()
    assert time.monotonic() - started < 1.5 and server.asked() == 1


def test_the_wrong_port(server, rest_api):
    rest, grpc_port = parse_address(server.rest_url).port, parse_address(server.grpc_url).port
    with (
        rest_api.connect(f"http://127.0.0.1:{grpc_port}") as client,
        pytest.raises(rest_api.BadAnswer, match="it's the REST port, not gRPC's"),
    ):
        client.status()
    with (
        rest_api.connect(f"https://127.0.0.1:{rest}") as client,
        pytest.raises(rest_api.Unavailable, match="Check that this port speaks TLS"),
    ):
        client.status()
    with (
        connect(f"grpc://127.0.0.1:{rest}", retries=0, timeout=2) as client,
        pytest.raises(arrays_api.ServingError),
    ):
        client.status()


def test_rest_loads_neither_tensorflow_nor_grpc(server):
    code = (
        "import sys; from seqclf.serving.client import connect; "
        f"print(*connect({server.rest_url!r}).predict({{'image_bytes': [b'ab']}}, 'serving_bytes')"
        "['echo_bytes'], {'tensorflow', 'grpc', 'keras'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "b'ba' set()"


# Addresses, options, TLS


@pytest.mark.parametrize(
    "url, model, version, label, prefix",
    [
        ("http://h:8501", "seqclf", None, "", ""),
        ("https://h/v1/models/a%20b/", "a b", None, "", ""),
        ("http://[::1]:8501/tf/v1/models/m/versions/07", "m", 7, "", "/tf"),
        ("grpc://h:8500", "seqclf", None, "", ""),
        ("grpc://h:8500/m", "m", None, "", ""),
        ("grpcs://a-b.example.org:8500/m/labels/stable", "m", None, "stable", ""),
        ("grpc://h:8500/m/versions/3", "m", 3, "", ""),
    ],
)
def test_addresses(url, model, version, label, prefix):
    got = parse_address(url)
    assert (got.model, got.version, got.label, got.prefix) == (model, version, label, prefix)


@pytest.mark.parametrize(
    "url, why",
    [
        ("localhost:8501", "must begin with http"),
        ("ftp://h/m", "must begin with http"),
        ("http://", "host is missing"),
        ("http://a b:1", "host is missing"),
        ("http://h:port", "Port could not be cast"),
        ("http://h:99999", "Port out of range"),
        ("grpc://h", "port is missing"),
        ("http://h:8501/m", "path must be /v1/models/NAME"),
        ("http://h:8501/v1/models/m:predict", "path must be /v1/models/NAME"),
        ("http://h:8501/v1/models/m/versions/x", "path must be"),
        ("grpc://h:1/v1/models/m", "path must be /NAME"),
        ("http://h:1?key=secret", "nothing after"),
        ("http://me:secret@h:1", "password as a header"),
        ("http://me:secret@h:x", "Port could not be cast"),
    ],
)
def test_addresses_that_are_none(url, why, rest_api):
    with pytest.raises(config_error(rest_api)) as caught:
        rest_api.connect(url)
    assert why in str(caught.value) and "secret" not in str(caught.value)
    assert caught.value.exit_status == 2


@pytest.mark.parametrize(
    "options, why",
    [
        ({"timeout": 0}, "`timeout`"),
        ({"timeout": float("nan")}, "`timeout`"),
        ({"retries": -1}, "`retries`"),
        ({"max_batch": 0}, "`max_batch`"),
        ({"headers": {"A": "secret\n"}}, "header 'A'"),
        ({"client_key": "k"}, "`client_cert` too"),
        ({"ca_file": "k"}, "for https:// and grpcs:// only"),
    ],
)
def test_options_that_cannot_be_used(options, why, rest_api):
    with pytest.raises(config_error(rest_api), match=why) as caught:
        rest_api.connect("http://h:1", **options)
    assert "secret" not in str(caught.value)


@pytest.fixture(scope="module")
def secure(tmp_path_factory):
    if not shutil.which("openssl"):
        pytest.skip("the openssl command, which makes the certificate, isn't installed")
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
    command += (
        "-keyout key.pem -out cert.pem -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
    )
    subprocess.run(command.split(), cwd=folder, capture_output=True, check=True)
    server = fake_serving.FakeServing(tls=folder)
    yield server, folder
    server.close()


def test_tls_with_certificates_on_both_sides(secure, protocol, api):
    server, folder = secure
    url = server.rest_url if protocol == "rest" else server.grpc_url
    cert, key = str(folder / "cert.pem"), str(folder / "key.pem")
    with api.connect(url, ca_file=cert, client_cert=cert, client_key=key) as client:
        same(client.predict(INPUTS), wanted())
    for untrusted in ({"client_cert": cert, "client_key": key}, {"ca_file": cert}):
        with (
            api.connect(url, retries=0, timeout=5, **untrusted) as client,
            pytest.raises(api.Unavailable),
        ):
            client.status()
    with pytest.raises(config_error(api), match=r"no such file: .*absent\.pem"):
        api.connect(url, ca_file=str(folder / "absent.pem"))
    with pytest.raises(config_error(api), match="not usable PEM files"):
        api.connect(url, ca_file=key)


def test_errors_are_seqclf_s():
    assert issubclass(arrays_api.ServingError, SeqclfError)

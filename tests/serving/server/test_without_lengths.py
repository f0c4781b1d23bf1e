"""Sequences without lengths, ragged, with gaps, as data frames: the client and the local server."""

import json
import threading

import numpy as np
import pandas as pd
import polars as pl
import pytest
import seqclf_client
import tensorflow as tf
from openapi_description import described, description
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from seqclf import build_classifier
from seqclf.config import resolve
from seqclf.data.dataset import DatasetSpec
from seqclf.data.table_layout import TableLayout
from seqclf.serving.client import InputWarning, InvalidRequest, connect
from seqclf.serving.export import export_model
from seqclf.serving.saved_model import SavedModel

LAYOUT = TableLayout("long", id="run", time="t", label="state", values=("temp", "vib"))
RANGE = {"low": [0.0, 0.0], "high": [16.0, 16.0]}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    spec = DatasetSpec(
        "csv:a.csv",
        "rows",
        (6, 2),
        "float32",
        ("calm", "busy"),
        variable_length=True,
        scale=(0.2, 0.1),
        feature_names=LAYOUT.values,
        missing="forward",
        fill=(1.0, 3.0),
        table=LAYOUT,
    )
    model = build_classifier(resolve({"model": {"units": [4]}}), spec)
    return export_model(model, spec, tmp_path_factory.mktemp("m"), {"data": {"input_range": RANGE}})


@pytest.fixture(scope="module")
def server(serving, exported):
    server = serving(exported.parent)
    yield server
    server.close()


@pytest.fixture(params=["http", "grpc"])
def client(request, server):
    with connect(server.url(request.param), timeout=60) as client:
        yield client


@pytest.fixture
def lists(server):
    """The client that gives lists."""
    with seqclf_client.connect(server.url("http"), timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def ragged():
    """Sequences of 3, 1 and 5 time steps, with gaps."""
    rng = np.random.default_rng(0)
    sequences = [rng.uniform(1, 16, (n, 2)).astype("float32") for n in (3, 1, 5)]
    sequences[0][1, 0] = sequences[2][0, 1] = sequences[1][0, 0] = np.nan
    return sequences


@pytest.fixture(scope="module")
def expected(exported, ragged):
    """The answers of the export itself, each sequence by itself with its length."""
    saved = SavedModel(exported)
    answers = [
        saved.run("serving_default", {"inputs": x[None], "lengths": np.array([len(x)], "int32")})
        for x in ragged
    ]
    return np.concatenate([answer["probabilities"] for answer in answers])


def test_the_client_pads_a_list_of_sequences(client, ragged, expected):
    for inputs in (ragged, {"inputs": ragged}, {"inputs": [x.tolist() for x in ragged]}):
        found = client.predict(inputs)["probabilities"]
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_all_time_steps_of_one_array_are_valid(client, ragged, expected):
    for inputs in (ragged[2][None], {"inputs": ragged[2][None]}):
        found = client.predict(inputs)["probabilities"]
        np.testing.assert_allclose(found, expected[2:], atol=1e-6)
    with pytest.warns(InputWarning, match="end in time steps of zeros"):
        client.predict(np.pad(ragged[0], ((0, 2), (0, 0)))[None])


def test_csv_text(client, ragged, expected):
    texts = [pd.DataFrame(x).to_csv(header=False, index=False) for x in ragged]
    for inputs in ({"csv": texts}, texts):
        found = client.predict(inputs, "serving_csv")["probabilities"]
        np.testing.assert_allclose(found, expected, atol=1e-5)


DO_NOT_FIT = [  # refused by both clients in the same words
    ([np.ones((2, 2)), np.ones((2, 3))], "of shape .T, 2.* at sequence 1"),
    ([np.ones((2, 2)), np.ones((0, 2))], "one time step at least.*sequence 1"),
    ([np.ones(2)], "Received: .2. at sequence 0"),
    (np.ones((2, 3, 3)), "`inputs` must be of shape"),
    ([], "inputs must be"),
]


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        *DO_NOT_FIT,
        (np.ones(3), "inputs must be `inputs`, `lengths`"),
        ([[[None, 1.0]]], "`inputs` must be float32. Received: object"),
    ],
)
def test_sequences_that_do_not_fit(client, inputs, said):
    with pytest.raises(InvalidRequest, match=said):
        client.predict(inputs)


def test_the_client_of_lists_takes_the_same_and_answers_the_same(lists, server, ragged):
    """The very same numbers: the two send the same request."""
    with connect(server.url("http"), timeout=60) as client:
        for inputs in (
            ragged,
            {"inputs": ragged},
            [x.tolist() for x in ragged],
            ragged[2][None],
            ragged[2][None].tolist(),
            {"inputs": np.pad(ragged[1], ((0, 1), (0, 0)))[None], "lengths": np.array([1])},
        ):
            wanted = {name: array.tolist() for name, array in client.predict(inputs).items()}
            assert lists.predict(inputs) == wanted
        texts = [pd.DataFrame(x).to_csv(header=False, index=False) for x in ragged]
        wanted = client.predict(texts, "serving_csv")["probabilities"].tolist()
        assert lists.predict(texts, "serving_csv")["probabilities"] == wanted
        assert lists.metadata() != {} and lists.status()[0].state == "AVAILABLE"
        examples = [{"inputs": x.ravel()} for x in ragged]
        assert lists.classify(examples) == client.classify(examples)


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        *DO_NOT_FIT,
        (5, "inputs must be `inputs`, `lengths`"),
        ("text", "inputs must be `inputs`, `lengths`"),
        ([[[None, 1.0]]], "`inputs` must be float32. Received: NoneType"),
        ([[[1.0, 2.0], [1.0]]], "ragged: 1 to 2 long in dimension 1"),
    ],
)
def test_sequences_that_do_not_fit_the_client_of_lists(lists, inputs, said):
    with pytest.raises(seqclf_client.InvalidRequest, match=said):
        lists.predict(inputs)


def bodies(ragged):
    lists = [x.tolist() for x in ragged]
    return {
        "rows": {"instances": lists},
        "named rows": {"instances": [{"inputs": x} for x in lists]},
        "columns": {"inputs": lists},
        "named columns": {"inputs": {"inputs": lists}},
    }


@pytest.mark.parametrize("form", ["rows", "named rows", "columns", "named columns"])
def test_the_local_server_takes_json_without_lengths(server, ragged, expected, form):
    body = bodies(ragged)[form]
    described(description(), "POST", "/v1/models/{model}:predict", 0).validate(body)
    answer = server.predict(body)  # NaN stands in it as NaN
    assert answer.status == 200, answer.text
    if "rows" in form:
        found = [row["probabilities"] for row in answer.json["predictions"]]
    else:
        found = answer.json["outputs"]["probabilities"]
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"instances": [[[1.0, None]]]}, "JSON Value: null Type: Null is not of expected type"),
        ({"instances": [[[1.0, 2.0]], [[1.0]]]}, "shape [T, 2], with one time step at least"),
        ({"instances": [[[1.0, 2.0]], []]}, "Received: [0] at sequence 1"),
        ({"instances": [[[1.0, 2.0], [1.0]]]}, "lists are ragged"),
        ({"inputs": []}, "expecting an object"),
        ({"instances": [{"inputs": [[1.0, 2.0]], "lengths": 1}, {"inputs": [[1.0, 2.0]]}]}, "keys"),
        ({"inputs": {"inputs": [[[1.0, 2.0]], []], "lengths": [1, 1]}}, "lists are ragged"),
        ({"inputs": {"lengths": [1]}}, "Missing named input: inputs"),
        ({"instances": [[[1e39, 2.0]]]}, "inputs must be finite numbers"),
    ],
)
def test_json_that_does_not_fit(server, body, said):
    answer = server.predict(body)
    assert answer.status == 400 and said in answer.error, answer.error


def test_grpc_without_lengths(server, ragged, expected):
    stub = prediction_service_pb2_grpc.PredictionServiceStub(server.channel)
    request = predict_pb2.PredictRequest()
    request.model_spec.name = server.name
    request.inputs["inputs"].CopyFrom(tf.make_tensor_proto(ragged[0][None]))
    response = stub.Predict(request, timeout=60)
    np.testing.assert_allclose(response.outputs["probabilities"].float_val, expected[0], atol=1e-6)


def test_requests_of_other_lengths_at_the_same_time_do_not_change_the_answer(
    server, ragged, expected
):
    wrong = []

    def ask(i):
        for _ in range(15):
            answer = server.predict({"instances": [ragged[i].tolist()]})
            (row,) = answer.json["predictions"]
            if not np.allclose(row["probabilities"], expected[i], atol=1e-6):
                wrong.append((i, row))

    threads = [threading.Thread(target=ask, args=[i % 3]) for i in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def table(ragged):
    rows = [
        {"vib": b, "run": f"run {i}", "t": t, "temp": a}
        for i, x in enumerate(ragged)
        for t, (a, b) in enumerate(x.tolist())
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize("make", [lambda frame: frame, pl.from_pandas], ids=["pandas", "polars"])
def test_a_data_frame_is_read_by_the_columns_of_the_training_table(client, ragged, expected, make):
    outputs = client.predict(make(table(ragged)))  # without a warning
    assert outputs["id"].tolist() == ["run 0", "run 1", "run 2"]
    np.testing.assert_allclose(outputs["probabilities"], expected, atol=1e-6)


def test_columns_that_are_missing_or_left_over(client, ragged):
    with pytest.raises(InvalidRequest, match="no column 'vib'"):
        client.predict(table(ragged).drop(columns="vib"))
    with pytest.warns(InputWarning, match="columns that are not read: humidity"):
        client.predict(table(ragged).assign(humidity=1.0))


def test_the_local_server_tells_the_range_and_the_spec(client, server, ragged):
    with pytest.warns(InputWarning, match="go from 0 to 255, but the training inputs went from 0"):
        client.predict([np.array([[0.0, 255.0], [np.nan, 3.0]], "float32")])
    assert client.facts.spec.missing == "forward"
    assert client.facts.spec.feature_names == ("temp", "vib")
    answer = server.ask("GET", f"/v1/models/{server.name}/metadata").json
    described(description(), "GET", "/v1/models/{model}/metadata", 200).validate(answer)
    metadata = answer["metadata"]
    assert metadata.keys() == {"signature_def", "seqclf"}
    assert metadata["seqclf"]["input_range"] == RANGE


def test_a_frame_for_a_model_whose_columns_are_not_known(client, ragged, monkeypatch):
    client.metadata()
    monkeypatch.setattr(client, "_served_facts", type(client.facts)())
    with pytest.raises(InvalidRequest, match="give `connect` the `manifest`"):
        client.predict(table(ragged))


def test_a_manifest_goes_before_what_the_server_tells(server, exported, tmp_path):
    content = json.loads((exported / "assets.extra" / "manifest.json").read_text())
    content["input_range"] = {"low": 0, "high": 255}
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(content))
    url = f"http://127.0.0.1:{server.port}/v1/models/{server.name}"
    with connect(url, manifest=str(path), timeout=60) as client:
        client.predict([np.array([[0.0, 255.0]], "float32")])

"""An export of a language model: published, verified, served, asked over REST and gRPC."""

import json

import numpy as np
import pytest
import seqclf_client
from language_models import spec_of, untrained_run

import seqclf
from seqclf.data.text.tokenizer import tokens_of
from seqclf.models.loading import load_trained
from seqclf.serving.client import InvalidRequest, NotFound, connect
from seqclf.serving.export import export_run
from seqclf.serving.remote_predictor import RemotePredictor
from seqclf.serving.saved_model import SavedModel
from seqclf.serving.text.export import write_text_version
from seqclf.serving.text.goldens import text_goldens
from seqclf.serving.verify.check import verify

SPEC = spec_of()
REPORT = {
    "name": "rain",
    "split": "test",
    "test": {"perplexity": 3.21, "bits_per_character": 1.68, "examples": 99, "unit": "characters"},
}
SIGNATURES = {"serving_default", "score", "generate", "start", "step", "trace_step", "tokens"}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    run = untrained_run(tmp_path_factory.mktemp("text") / "run", SPEC)
    run.samples.mkdir()
    (run.samples / "text.txt").write_text("the rain on the shore and the sand")
    return run


@pytest.fixture(scope="module")
def version(run):
    return export_run(run, run.path.parent / "models", report=REPORT)


@pytest.fixture(scope="module")
def server(serving, version):
    server = serving(version.parent)
    yield server
    server.close()


@pytest.fixture(params=["http", "grpc"])
def client(request, server):
    with connect(server.url(request.param), timeout=60, max_batch=2) as client:
        yield client


def test_what_a_version_holds(run, version):
    """All checks pass; the right answers of another model are told from its own."""
    model, spec = load_trained(run)
    model.set_weights([weight * 0.9 for weight in model.get_weights()])
    other = text_goldens(model, spec, [b"the rain", b"on the shore"])
    checks = {check.rule: check for check in verify(version, goldens=other)}
    assert [check.rule for check in checks.values() if check.passed is False] == ["golden"]
    for name in ("bits_per_character` of `serving_default", "log_probabilities"):
        assert f"`{name}" in checks["golden"].detail
    assert "49 records, each answered" in checks["warm-up"].detail
    manifest = json.loads((version / "assets.extra/manifest.json").read_text())
    assert set(manifest["signatures"]) == SIGNATURES
    assert "input_range" not in manifest and manifest["spec"]["tokens"]["kind"] == "characters"
    (golden,) = (check for check in manifest["checks"] if check["rule"] == "golden")
    assert golden["result"] == "passed" and "7 requests" in golden["detail"]
    vocabulary = json.loads((version / "assets/vocabulary.json").read_text())
    assert tuple(vocabulary) == SPEC.class_names
    card = (version / "assets.extra/model_card.md").read_text()
    assert "Perplexity **3.21** of a token, **1.68** bits per character" in card


@pytest.fixture(params=["http", "grpc", "lists"])
def any_client(request, server):
    """The same, and the client that gives lists."""
    lists = request.param == "lists"
    made = seqclf_client.connect if lists else connect
    with made(server.url("http" if lists else request.param), timeout=60, max_batch=2) as client:
        yield client


def test_the_client_writes_what_python_writes(any_client, version):
    prefixes = ["the rain", "on é", "shore", "sand and"]
    written = any_client.generate(
        prefixes, length=[5, 9, 20, 1], seed=[1, 2, 3, 4], temperature=0.9
    )
    for prefix, length, seed, text in zip(
        prefixes, (5, 9, 20, 1), (1, 2, 3, 4), written, strict=True
    ):
        options = {"length": length, "seed": seed, "temperature": 0.9}
        assert text == seqclf.generate(version, prefix, **options)
    assert any_client.generate("the", length=4, temperature=0) == [
        seqclf.generate(version, "the", length=4, temperature=0)
    ]


def test_the_client_scores(any_client, version):
    texts = ["the rain", "on", "x" * 30]
    scored = any_client.score(texts)
    alone = SavedModel(version)
    for text, score in zip(texts, scored, strict=True):
        assert "".join(score.tokens) == text and score.log_probabilities[0] == 0
        outputs = alone.run("score", {"text": np.array([text.encode()], object)})
        np.testing.assert_allclose(score.log_probabilities, outputs["log_probabilities"][0], 1e-5)
        assert score.bits_per_character == pytest.approx(outputs["bits_per_character"][0], 1e-5)


def test_a_client_that_writes_by_steps(client, version):
    answer = client.predict({"prefix": ["the"]}, "start")
    text = "the"
    for _ in range(6):
        index = 1 + int(answer["probabilities"][0, 1:].argmax())
        text += SPEC.class_names[index]
        states = {name: value for name, value in answer.items() if name.startswith("state_")}
        answer = client.predict({"ids": [index], **states}, "step")
    assert text == seqclf.generate(version, "the", length=6, temperature=0)


def test_what_is_refused(client):
    with pytest.raises(InvalidRequest, match=r"each prefix must have 1 to 10000 tokens"):
        client.generate(["the", ""])
    with pytest.raises(InvalidRequest, match=r"temperature must lie in 0 to 100"):
        client.generate(["the"], temperature=-1)
    with pytest.raises(InvalidRequest, match=r"all inputs must hold the same number of examples"):
        client.generate(["the"], seed=[1, 2])
    with pytest.raises(InvalidRequest, match=r"each text must have 2 to 10000 tokens"):
        client.score(["t"])
    with pytest.raises(InvalidRequest, match=r"each text must have 2 to 10000 tokens"):
        client.score("")
    for wrong in (5, None, {"text": "the"}):
        with pytest.raises(InvalidRequest, match=r"must be bytes or str. Received: "):
            client.score(wrong)
        with pytest.raises(InvalidRequest, match=r"must be bytes or str. Received: "):
            client.generate(wrong)
    with pytest.raises(NotFound, match=r"it classifies nothing"):
        RemotePredictor(client)


def test_rest(server):
    answer = server.predict({"instances": ["the rain", "on"]})
    rows = answer.json["predictions"]
    assert [row["token_count"] for row in rows] == [8, 2]
    assert rows[1]["tokens"][:3] == ["o", "n", ""] and rows[1]["log_probabilities"][2:] == [0.0] * 6
    refused = server.predict(
        {"instances": [{"prefix": "a", "length": 2000, "temperature": 1, "top_k": 0, "seed": 0}]},
        "generate",
    )
    assert refused.status == 400 and "length must lie in 1 to 1000" in refused.error


def test_a_model_of_bytes_sends_bytes(tmp_path, serving):
    spec = spec_of("bytes")
    run = untrained_run(tmp_path / "run", spec)
    (tmp_path / "models/1").mkdir(parents=True)
    model, _ = load_trained(run)
    write_text_version(tmp_path / "models/1", model, spec, {}, ["é tea".encode()])
    server = serving(tmp_path / "models")
    try:
        with connect(f"http://127.0.0.1:{server.port}/v1/models/{server.name}") as client:
            (text,) = client.generate(["é"], length=12, temperature=2.0)
            (score,) = client.score(["é tea"])
    finally:
        server.close()
    assert isinstance(text, bytes) and text.startswith("é".encode()) and len(text) == 2 + 12
    assert list(score.tokens) == tokens_of(["é tea"], spec.tokens).to_list()[0]
    same = seqclf.generate(tmp_path / "models", "é", length=12, temperature=2.0)
    assert same == text.decode(errors="replace")

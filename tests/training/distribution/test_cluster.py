"""Who takes part, as TF_CONFIG says it, and what `distribute` makes of it."""

import json

import pytest

from seqclf.errors import ConfigError
from seqclf.training.distribution.cluster import Cluster, cluster_of_environment
from seqclf.training.distribution.strategy import choose_distribution

TWO = ["10.0.0.1:2222", "10.0.0.2:2222"]


def given(monkeypatch, cluster, task):
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": task}))
    return cluster_of_environment()


def test_workers(monkeypatch):
    found = given(monkeypatch, {"worker": TWO}, {"type": "worker", "index": 1})
    assert found == Cluster(tuple(TWO), 1)


def test_a_chief_is_the_first_of_them(monkeypatch):
    cluster = {"worker": TWO[1:], "chief": TWO[:1]}
    assert given(monkeypatch, cluster, {"type": "worker", "index": 0}) == Cluster(tuple(TWO), 1)
    assert given(monkeypatch, cluster, {"type": "chief", "index": 0}) == Cluster(tuple(TWO), 0)


def test_an_index_may_be_a_string_and_a_host_an_ipv6_address(monkeypatch):
    cluster = {"worker": ["[::1]:2222", "host-1.svc:2222"]}
    assert given(monkeypatch, cluster, {"type": "worker", "index": "1"}).index == 1


@pytest.mark.parametrize("text", [None, "", "{}", '{"cluster": {}}'])
def test_nobody(monkeypatch, text):
    if text is None:
        monkeypatch.delenv("TF_CONFIG", raising=False)
    else:
        monkeypatch.setenv("TF_CONFIG", text)
    assert cluster_of_environment() is None


@pytest.mark.parametrize(
    "text, message",
    [
        ("{", "not valid JSON"),
        ("[]", "must be an object"),
        ('{"cluster": {"worker": "a:1"}, "task": {}}', "must list the addresses of `worker`"),
        ('{"cluster": {"worker": ["a"]}, "task": {}}', r"no host:port \('a'\)"),
        ('{"cluster": {"worker": ["a:99999"]}, "task": {}}', r"no host:port \('a:99999'\)"),
        ('{"cluster": {"worker": ["a:1", "a:1"]}, "task": {}}', "names a:1 twice"),
        ('{"cluster": {"worker": ["a:1"], "ps": ["b:1"]}}', r"take no part .* \(ps\)"),
        ('{"cluster": {"chief": ["a:1", "b:1"]}, "task": {}}', "more than one `chief`"),
        ('{"cluster": {"worker": ["a:1"]}}', "does not say which `task`"),
        (
            '{"cluster": {"worker": ["a:1"]}, "task": {"type": "chief", "index": 0}}',
            "a task of type 'chief', which `cluster` lacks",
        ),
        (
            '{"cluster": {"worker": ["a:1"]}, "task": {"type": ["worker"], "index": 0}}',
            "a task of type",
        ),
        (
            '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
            "index 1 of 1 of 'worker'",
        ),
        (
            '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": "x"}}',
            "no index, but 'x'",
        ),
    ],
)
def test_what_cannot_be_understood(monkeypatch, text, message):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ConfigError, match=f"TF_CONFIG .*{message}.*Expected something like"):
        cluster_of_environment()


def test_auto_takes_what_is_there(monkeypatch):
    assert choose_distribution("auto", Cluster(tuple(TWO), 0))[0] == "multi_worker"
    assert choose_distribution("auto", Cluster(tuple(TWO[:1]), 0))[0] == "none"
    assert choose_distribution("auto", None)[0] == "none"
    monkeypatch.setattr("seqclf.training.distribution.strategy._gpus", lambda: ["GPU:0", "GPU:1"])
    assert choose_distribution("auto", None)[0] == "mirrored"


def test_what_contradicts_the_environment_is_refused():
    with pytest.raises(ConfigError, match="'multi_worker' needs .* TF_CONFIG, which is not set"):
        choose_distribution("multi_worker", None)
    for kind in ("mirrored", "none"):
        with pytest.raises(ConfigError, match=f"several workers, but `distribute` is '{kind}'"):
            choose_distribution(kind, Cluster(tuple(TWO), 0))

"""`cluster_of_environment`: the workers that TensorFlow's variable `TF_CONFIG` names."""

import json
import os
import re
from dataclasses import dataclass
from typing import Any

from seqclf.errors import ConfigError

VARIABLE = "TF_CONFIG"
EXAMPLE = (
    '{"cluster": {"worker": ["10.0.0.1:12345", "10.0.0.2:12345"]}, '
    '"task": {"type": "worker", "index": 0}}'
)
ADDRESS = re.compile(r"^(\[[^\]]+\]|[^:/\s]+):(\d{1,5})$")


@dataclass(frozen=True)
class Cluster:
    """The workers of a training.

    Attributes:
        addresses: `host:port` of every worker, the chief first.
        index: place of this process's address among them, from 0.
    """

    addresses: tuple[str, ...]
    index: int


def cluster_of_environment() -> Cluster | None:
    """Returns the cluster that `TF_CONFIG` describes.

    An entry `chief` is the first worker, as in TensorFlow.

    Returns:
        The cluster; None if `TF_CONFIG` is not set or names no worker.

    Raises:
        ConfigError: the value cannot be understood, or it names an address twice, or a task that
            has no part in this kind of training (`ps`, `evaluator`).
    """
    text = os.environ.get(VARIABLE, "").strip()
    if not text:
        return None
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise _wrong(f"is not valid JSON ({error})", text) from error
    if not isinstance(content, dict) or not isinstance(content.get("cluster", {}), dict):
        raise _wrong("must be an object with an object `cluster` in it", text)
    cluster = content.get("cluster", {})
    if not cluster:
        return None
    if unknown := sorted(set(cluster) - {"chief", "worker"}):
        raise _wrong(f"names tasks that take no part in this training ({', '.join(unknown)})", text)
    addresses = _addresses(cluster, text)
    return Cluster(addresses, _index(cluster, content.get("task"), len(addresses), text))


def _addresses(cluster: dict[str, Any], text: str) -> tuple[str, ...]:
    addresses = []
    for job in ("chief", "worker"):
        job_addresses = cluster.get(job, [])
        if not isinstance(job_addresses, list):
            raise _wrong(f"must list the addresses of `{job}`", text)
        addresses += job_addresses
    if len(cluster.get("chief", [])) > 1:
        raise _wrong("names more than one `chief`", text)
    for address in addresses:
        match = ADDRESS.match(address) if isinstance(address, str) else None
        if not match or not 0 < int(match[2]) < 2**16:
            raise _wrong(f"has an address that is no host:port ({address!r})", text)
    if doubled := sorted({a for a in addresses if addresses.count(a) > 1}):
        raise _wrong(f"names {doubled[0]} twice", text)
    return tuple(addresses)


def _index(cluster: dict[str, Any], task: Any, count: int, text: str) -> int:
    if not isinstance(task, dict):
        raise _wrong("does not say which `task` this process is", text)
    kind, index = task.get("type"), task.get("index", 0)
    if not isinstance(kind, str) or kind not in cluster:
        raise _wrong(f"gives this process a task of type {kind!r}, which `cluster` lacks", text)
    if isinstance(index, str) and index.isdecimal():
        index = int(index)  # shells and Kubernetes write it as a string
    if not isinstance(index, int) or isinstance(index, bool):
        raise _wrong(f"gives this process no index, but {index!r}", text)
    if not 0 <= index < len(cluster[kind]):
        raise _wrong(f"gives this process index {index} of {len(cluster[kind])} of {kind!r}", text)
    place = index + (len(cluster.get("chief", [])) if kind == "worker" else 0)
    assert place < count
    return place


def _wrong(what: str, text: str) -> ConfigError:
    return ConfigError(
        f"{VARIABLE} {what}. Expected something like {EXAMPLE}. Received: {text[:200]}"
    )

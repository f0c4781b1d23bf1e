"""A server in a thread of its own, and small models for it."""

import asyncio
import contextlib
import json
import shutil
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
import tensorflow as tf
import urllib3

from seqclf.serving.server import run
from seqclf.serving.server.ports import host_and_port
from seqclf.serving.server.run import ServerOptions

NAME = "zoo"
DTYPES = (
    *("float32", "float64", "int8", "int16", "int32", "int64"),
    *("uint8", "uint16", "uint32", "uint64", "bool", "string", "float16"),
)


@dataclass(frozen=True)
class Answer:
    """The response to a REST request.

    Attributes:
        status: the HTTP status.
        text: the body.
        headers: the headers.
    """

    status: int
    text: str
    headers: Any

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def error(self) -> str:
        assert self.json.keys() == {"error"}, self.text
        return self.json["error"]


class Server:
    """A local server, in a thread of its own, until `close`.

    Args:
        export_dir: folder of the versions.
        options: further fields of `ServerOptions`.
    """

    def __init__(self, export_dir: Path, **options: Any):
        options = {"name": NAME, "port": 0, "grpc_port": 0} | options
        self._options = ServerOptions(export_dir=export_dir, **options)
        self._http = urllib3.PoolManager(maxsize=8, retries=False, timeout=30)
        self._started = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        self._started.wait(60)
        if self._error:
            raise self._error
        self.address = (self._options.host, self.port)
        self.netloc = host_and_port(*self.address)
        grpc_port = 0 if self.grpc_port is None else self.grpc_port
        self.channel = grpc.insecure_channel(host_and_port(self._options.host, grpc_port))
        self.name = self._options.name

    def close(self) -> None:
        self.channel.close()
        self._http.clear()
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(30)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Sends a request; a dictionary or a list is sent as JSON, an iterator in chunks."""
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        url = f"http://{self.netloc}{path}"
        response = self._http.request(method, url, body=body, headers=headers)
        return Answer(response.status, response.data.decode(), response.headers)

    def predict(self, body: Any, signature: str = "") -> Answer:
        """Sends a `:predict` request to the newest version, with the name of a signature."""
        if signature:
            body = {"signature_name": signature} | body
        return self.ask("POST", f"/v1/models/{self.name}:predict", body)

    def url(self, scheme: str) -> str:
        """Returns the address of the model for a client, by `http` or `grpc`."""
        if scheme == "http":
            return f"http://127.0.0.1:{self.port}/v1/models/{self.name}"
        return f"grpc://127.0.0.1:{self.grpc_port}/{self.name}"

    def welcome(self) -> str:
        """Returns what `seqclf.serve` prints."""
        return run.welcome_text(self._options, self.port, self.grpc_port)

    def alive(self) -> None:
        """Asserts that a good request is still answered."""
        assert self.predict({"instances": [2.0]}).json == {"predictions": [3.0]}

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._error = error
            self._started.set()

    async def _serve(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        self.service = run.build_service(self._options)
        try:
            await self._loop.run_in_executor(None, self.service.versions.start)
            async with contextlib.AsyncExitStack() as stack:
                self.port = await run.start_rest(self.service, self._options, stack)
                self.grpc_port = await run.start_grpc(self.service, self._options, stack)
                self._started.set()
                await self._end.wait()
        finally:
            self.service.close()


@pytest.fixture(scope="session")
def serving():
    """The class `Server`, since test modules cannot import this module."""
    return Server


@pytest.fixture(scope="session")
def save_zoo(tmp_path_factory):
    """A function that writes the zoo, one model with many signatures, as a version of an export."""
    original = tmp_path_factory.mktemp("original") / "zoo"
    _write_zoo(original)

    def save(export_dir: Path, version: int | str) -> Path:
        return Path(shutil.copytree(original, export_dir / str(version)))

    return save


@pytest.fixture(scope="session")
def save_plus(tmp_path_factory):
    """A function that writes the model `y = x / 2 + plus` as a version of an export."""
    originals = tmp_path_factory.mktemp("originals")

    def save(export_dir: Path, version: int | str, plus: float = 2.0) -> Path:
        if not (original := originals / str(plus)).exists():
            module = tf.Module()
            module.plus = tf.Variable(plus)
            module.half = tf.function(
                lambda x: {"y": x / 2 + module.plus},
                input_signature=[tf.TensorSpec([None], tf.float32, name="x")],
            )
            tf.saved_model.save(module, str(original), {"serving_default": module.half})
        hidden = export_dir / f".tmp-{version}"
        shutil.copytree(original, hidden)
        return hidden.rename(export_dir / str(version))

    return save


def _write_zoo(path: Path) -> None:
    """Writes a SavedModel with a signature for each kind of request."""
    module = tf.Module()
    module.plus = tf.Variable(2.0)
    anything = {name: tf.TensorSpec(None, name, name="x") for name in DTYPES}
    strings = [tf.TensorSpec([None], tf.string, name="inputs")]
    several = [
        tf.TensorSpec([None, 2], tf.int32, name="number"),
        tf.TensorSpec([None], tf.string, name="text"),
        tf.TensorSpec([None], tf.float32, name="decimal"),
    ]
    pictures = [tf.TensorSpec([None, 2, 3], tf.uint8, name="image")]
    functions = {
        "serving_default": (lambda x: {"y": x / 2 + module.plus}, [anything["float32"]]),
        "bytes": (lambda x: {"y_bytes": tf.identity(x)}, [anything["string"]]),
        "several": (_several, several),
        "square": (
            lambda image: {"sum": tf.reduce_sum(tf.cast(image, tf.int32), (1, 2))},
            pictures,
        ),
        "finite": (
            lambda x: {"y": tf.debugging.check_numerics(x, "x must be finite.")},
            [anything["float32"]],
        ),
        "total": (lambda x: {"y": tf.reduce_sum(x)}, [anything["float32"]]),
        "uneven": (lambda x: {"y": x, "z": x[1:]}, [anything["float32"]]),
        "none": (lambda x: {"y": x[:0]}, [anything["float32"]]),
        "half": (lambda x: {"y": tf.cast(x, tf.float16)}, [anything["float32"]]),
        "complex": (lambda x: {"y": tf.cast(x, tf.complex64)}, [anything["float32"]]),
        "constant": (lambda: {"y": tf.fill([1], module.plus)}, []),
        "junk": (lambda x: {"y": tf.fill(tf.shape(x), b"\xff")}, [anything["string"]]),
        "classify": (_classify, strings),
        "scores": (lambda inputs: {"scores": _classify(inputs)["scores"]}, strings),
        "classes": (lambda inputs: {"classes": _classify(inputs)["classes"]}, strings),
        "labels_and_more": (
            lambda inputs: {"classes": _classify(inputs)["classes"], "more": tf.ones([1])},
            strings,
        ),
        "three": (lambda inputs: _classify(inputs) | {"more": tf.ones([1])}, strings),
        "flat": (lambda inputs: {"scores": _classify(inputs)["scores"][:, 0]}, strings),
        "wide": (lambda inputs: {"scores": tf.cast(_classify(inputs)["scores"], "int32")}, strings),
    }
    for name in DTYPES:
        functions[name] = (lambda x: {"y": tf.identity(x)}, [anything[name]])
    signatures = {
        name: tf.function(function, input_signature=specs, autograph=False)
        for name, (function, specs) in functions.items()
    }
    module.functions = list(signatures.values())
    tf.saved_model.save(module, str(path), signatures)


def _several(number: tf.Tensor, text: tf.Tensor, decimal: tf.Tensor) -> dict[str, tf.Tensor]:
    return {
        "number": number + 1,
        "text": tf.strings.upper(text),
        "text_bytes": tf.identity(text),
        "decimal": decimal / 2,
    }


def _classify(inputs: tf.Tensor) -> dict[str, tf.Tensor]:
    """Classifies examples so that the result shows their features."""
    features = tf.io.parse_example(
        inputs,
        {
            "name": tf.io.FixedLenFeature([], tf.string, ""),
            "query": tf.io.FixedLenFeature([], tf.string, ""),
            "x": tf.io.FixedLenFeature([], tf.float32, 0.0),
            "ratings": tf.io.VarLenFeature(tf.float32),
            "age": tf.io.VarLenFeature(tf.int64),
        },
    )
    ratings = tf.reduce_sum(tf.sparse.to_dense(features["ratings"]), 1)
    ages = tf.cast(tf.reduce_sum(tf.sparse.to_dense(features["age"]), 1), tf.float32)
    return {
        "classes": tf.stack([features["name"], features["query"]], 1),
        "scores": tf.stack([features["x"] / 2 + 2, ratings + ages], 1),
    }

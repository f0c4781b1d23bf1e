"""Bad requests: each gets a status of 4xx, and the next good request succeeds."""

import asyncio
import base64
import gzip
import json
import os
import re
import signal
import socket
import struct
import subprocess
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from running import python
from slow_model import SlowModel, batched

from seqclf.serving.server import batcher, http_body
from seqclf.serving.server.batcher import Batcher
from seqclf.serving.server.fault import Fault

LIMIT = 2**20
PREDICT = "/v1/models/zoo:predict"
CLASSIFY = "/v1/models/zoo:classify"
GOOD = {"instances": [2.0]}


@pytest.fixture(scope="module")
def server(serving, save_zoo, tmp_path_factory):
    export_dir = tmp_path_factory.mktemp("zoo")
    save_zoo(export_dir, 1)
    running = serving(export_dir, max_body=LIMIT)
    yield running
    running.close()


def picky(value):
    return {"signature_name": "finite", "instances": [value]}


NESTED = 100_000
BODIES = {
    "wrong shape": {"signature_name": "square", "instances": [[1, 2], [3, 4]]},
    "wrong dtype": {"instances": ["a"]},
    "wrong signature": {"signature_name": "nope", "instances": [1.0]},
    "ragged": {"instances": [[1.0], [1.0, 2.0]]},
    "NaN": picky(float("nan")),
    "Infinity": picky(float("inf")),
    "65 examples": {"instances": [1.0] * 65},
    "truncated": '{"instances": [1.0, 2',
    "nested lists": '{"instances": ' + "[" * NESTED + "]" * NESTED + "}",
    "nested lists, never closed": '{"instances": ' + "[" * NESTED,
    "nested objects": '{"a":' * NESTED + "1" + "}" * NESTED,
    "33 levels": '{"instances": ' + "[" * 33 + "1" + "]" * 33 + "}",
    "nested, elsewhere": '{"instances": [1.0], "x": ' + "[" * 5000 + "]" * 5000 + "}",
    "base64": {"signature_name": "string", "instances": [{"b64": "%%%"}]},
    "a long number": '{"instances": [' + "9" * 100_000 + "]}",
    "a long fraction": '{"signature_name": "int64", "instances": [0.' + "9" * 100_000 + "]}",
    "a large exponent": '{"instances": [1e' + "9" * 1000 + "]}",
    "a long key": json.dumps({"instances": [{"a" * 500_000: 1.0}]}),
    "many keys": json.dumps({"instances": [{str(i): 1.0 for i in range(50_000)}]}),
    "not UTF-8": b"\xff\xfe\x00",
    "UTF-16": json.dumps(GOOD).encode("utf-16"),
    "binary": bytes(range(256)) * 100,
    "zeros": b"\0" * 1000,
}


@pytest.mark.parametrize("path", [PREDICT, CLASSIFY])
@pytest.mark.parametrize("case", BODIES)
def test_bodies(server, path, case):
    answer = server.ask("POST", path, BODIES[case])
    assert answer.status == 400 and answer.error, answer.text
    assert len(answer.text) < 1500  # the message does not repeat the whole body
    server.alive()


def test_examples_with_large_features(server):
    """A feature may have any size as long as the body is below the limit."""
    body = {"signature_name": "classify", "examples": [{"ratings": [1.0] * 100_000}]}
    assert server.ask("POST", CLASSIFY, body).json == {"results": [[["", 2.0], ["", 100000.0]]]}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "TRACE"])
def test_methods(server, method):
    answer = server.ask(method, PREDICT, GOOD)
    assert answer.status == 400 and "Malformed request" in answer.error
    server.alive()


# Bodies that are too large


def test_a_body_beyond_the_limit(server):
    body = b" " * (LIMIT + 1)
    answer = server.ask("POST", PREDICT, body)
    assert answer.status == 413 and str(LIMIT) in answer.error
    server.alive()


def test_a_body_at_the_limit(server):
    body = json.dumps(GOOD).encode().ljust(LIMIT)
    assert server.ask("POST", PREDICT, body).json == {"predictions": [3.0]}


def test_a_chunked_body_beyond_the_limit(server):
    answer = server.ask("POST", PREDICT, (b" " * 2**16 for _ in range(64)))
    assert answer.status == 413 and str(LIMIT) in answer.error
    server.alive()


def test_a_body_that_is_small_only_on_the_wire(server):
    bomb = gzip.compress(b" " * 2**26)
    assert len(bomb) < LIMIT / 10
    answer = server.ask("POST", PREDICT, bomb, **{"Content-Encoding": "gzip"})
    assert answer.status == 413 and str(LIMIT) in answer.error
    server.alive()


def test_a_body_that_is_announced_as_large(server):
    head = request_head("Content-Length: 99999999999", "Connection: close")
    status, body = talk(server, head)
    assert status == 413 and "error" in json.loads(body)
    server.alive()


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
@pytest.mark.parametrize(
    "body",
    [b"\xff" * 5, b"junk" * 1000, gzip.compress(b"{}" * 100)[:-9]],
    ids=["ones", "junk", "truncated"],
)
def test_a_body_that_cannot_be_unpacked(server, encoding, body, monkeypatch):
    monkeypatch.setattr(http_body, "BODY_SECONDS", 0.5)  # the library waits for more of some
    for _ in range(3):
        answer = server.ask("POST", PREDICT, body, **{"Content-Encoding": encoding})
        assert answer.status in (400, 408), answer.text
        server.alive()


# Faults below the API, in requests that are written by hand


def request_head(*lines, method="POST", path=PREDICT):
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", *lines, "", ""]).encode()


def connect(server):
    return socket.create_connection(server.address, timeout=20)


def read_all(connection):
    """Returns the status and the body of an answer."""
    received, wanted = b"", 1
    try:
        while len(received) < wanted and (piece := connection.recv(2**16)):
            received += piece
            head, _, body = received.partition(b"\r\n\r\n")
            length = re.search(rb"Content-Length: (\d+)", head)
            wanted = len(head) + 4 + int(length[1]) if length else len(received) + 1
    except ConnectionResetError:
        pass  # it hung up while there was more to come
    assert received, "nothing was answered"
    return int(head.split()[1]), body.decode()


def talk(server, request):
    with connect(server) as connection:
        connection.sendall(request)
        return read_all(connection)


INVALID = {
    "garbage": b"garbage\r\n\r\n",
    "binary": bytes(range(128, 256)) * 10 + b"\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200 + b"\r\n\r\n",
    "HTTP/9": b"GET /v1/models/zoo HTTP/9.9\r\nHost: x\r\n\r\n",
    "length": request_head("Content-Length: abc"),
    "negative length": request_head("Content-Length: -1"),
    "two lengths": request_head("Content-Length: 1", "Content-Length: 2") + b"{}",
    "chunk": request_head("Transfer-Encoding: chunked") + b"zz\r\n",
    "length and chunks": request_head("Content-Length: 4", "Transfer-Encoding: chunked") + b"0\r\n",
    "header": request_head("no colon"),
    "long header": request_head("X: " + "a" * 100_000),
    "many headers": request_head(*(f"X{i}: a" for i in range(20_000))),
    "long path": request_head(path="/v1/models/" + "a" * 100_000),
}


@pytest.mark.parametrize("case", INVALID)
def test_invalid_http(server, case):
    """The HTTP library answers these itself, without JSON, as in TensorFlow Serving."""
    with connect(server) as connection:
        try:
            connection.sendall(INVALID[case])
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has seen enough
        else:
            status, body = read_all(connection)
            assert 400 <= status < 500, body
            assert "Traceback" not in body
    server.alive()


def test_a_client_that_stalls(server, monkeypatch):
    monkeypatch.setattr(http_body, "BODY_SECONDS", 0.3)
    with connect(server) as connection:
        connection.sendall(request_head("Content-Length: 100", "Connection: close") + b'{"inst')
        server.alive()  # it keeps nobody from being served
        status, body = read_all(connection)
    assert status == 408 and "did not come within 0.3 s" in json.loads(body)["error"]
    server.alive()


def test_clients_that_hang_up(server):
    body = json.dumps(GOOD).encode()
    head = request_head(f"Content-Length: {len(body)}")
    whole = head + body
    for end in (5, len(head) - 2, len(head), len(head) + 5, len(whole)):
        for reset in (False, True):
            connection = connect(server)
            if reset:  # closed with RST, not FIN
                linger = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            connection.sendall(whole[:end])
            connection.close()
    server.alive()


def test_many_idle_connections(server):
    connections = [connect(server) for _ in range(200)]
    server.alive()
    for connection in connections:
        connection.close()
    server.alive()


def test_pipelined_requests(server):
    body = json.dumps(GOOD).encode()
    one = request_head(f"Content-Length: {len(body)}") + body
    last = request_head(f"Content-Length: {len(body)}", "Connection: close") + body
    with connect(server) as connection:
        connection.sendall(one * 3 + last)
        answers = b""
        while piece := connection.recv(2**16):
            answers += piece
    assert answers.count(b'{"predictions": [3.0]}') == 4


# Requests that share a batch


def test_one_bad_request_among_good_ones(server):
    together = threading.Barrier(24)

    def ask(i):
        together.wait()
        return server.predict(picky(float("nan") if i % 8 == 5 else float(i)))

    with ThreadPoolExecutor(24) as pool:
        for _ in range(4):
            for i, answer in enumerate(pool.map(ask, range(24))):
                if i % 8 == 5:
                    assert (answer.status, "finite" in answer.error) == (400, True), answer
                else:
                    assert answer.json == {"predictions": [float(i)]}


def test_waiting_requests_go_together_and_each_gets_its_own():
    model = SlowModel()
    answers = batched(model, [1.0], [2.0, 3.0], [4.0])
    assert model.sizes == [1, 4]
    assert [a["y"].tolist() for a in answers] == [[2.0], [4.0, 6.0], [8.0]]


def test_a_batch_that_fails_is_taken_apart():
    model = SlowModel()
    good, bad, other = batched(model, [1.0], [np.nan], [4.0])
    assert model.sizes == [1, 3, 1, 1, 1]
    assert (good["y"].tolist(), other["y"].tolist()) == ([2.0], [8.0])
    assert isinstance(bad, Fault) and bad.status == 400


def test_batches_no_larger_than_allowed_and_shapes_apart():
    model = SlowModel()
    batched(model, [1.0] * 3, [1.0] * 2, [[1.0]] * 2, [1.0] * 4, max_batch=5)
    assert model.sizes == [1, 5, 2, 4]


@pytest.mark.parametrize("gather", [np.sum, lambda y: y[:1]])
def test_outputs_without_the_batch_in_front_are_not_mixed(gather):
    answers = batched(SlowModel(gather), [1.0], [2.0])
    assert [float(np.sum(a["y"])) for a in answers] == [2.0, 4.0]


def test_a_full_queue():
    answers = batched(SlowModel(), [1.0] * 2, [1.0] * 2, [1.0], max_batch=2, max_waiting=4)
    assert [isinstance(a, Fault) for a in answers] == [False, False, True]
    assert answers[2].status == 503 and "queue is full" in answers[2].message


def test_who_gives_up_is_not_run():
    async def run():
        queue, model = Batcher(threads=1), SlowModel()
        first = asyncio.ensure_future(queue.run(model, "", {"x": np.zeros(1)}))
        await asyncio.sleep(0.05)
        second = asyncio.ensure_future(queue.run(model, "", {"x": np.zeros(2)}))
        await asyncio.sleep(0)
        second.cancel()
        model.gate.set()
        await first
        third = await queue.run(model, "", {"x": np.ones(3)})
        queue.close()
        return model.sizes, third["y"].tolist()

    assert asyncio.run(run()) == ([1, 3], [2.0] * 3)


def test_a_prediction_that_takes_too_long(serving, save_plus, tmp_path, monkeypatch):
    save_plus(tmp_path, 1)
    running = serving(tmp_path, timeout=0.2, grpc_port=-1)
    try:
        run_now = batcher._run_batch

        def run_late(*arguments):
            time.sleep(0.6)
            return run_now(*arguments)

        with monkeypatch.context() as patch:
            patch.setattr(batcher, "_run_batch", run_late)
            answer = running.predict(GOOD)
        assert answer.status == 504 and "0.2 s" in answer.error
        time.sleep(0.6)
        running.alive()
    finally:
        running.close()


# Pictures, on an export of ours, in a process whose memory is watched


def chunk(kind, data):
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


def png(width, height, first=b"", pixels=None):
    """Returns a grey PNG file with the given compressed pixels, or with white ones."""
    if pixels is None:
        packer = zlib.compressobj(9)
        row = b"\0" + b"\xff" * width
        pixels = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", pixels), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + first + b"".join(parts)


def jpeg(width, height):
    """Returns the beginning of a JPEG file, with its size and without its pixels."""
    frame = struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\x01\x11\x00"
    return b"\xff\xd8\xff\xc0" + frame + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + b"\0" * 100


SMALL = png(6, 8)
HIDING = chunk(
    b"abCd", struct.pack(">II", 1, 1)
)  # where a PNG's sides are, if it begins as it must
PICTURES = {
    "junk": b"junk" * 100,
    "empty": b"",
    "junk after the signature": SMALL[:8] + b"junk" * 100,
    "GIF": b"GIF89a" + b"\x01\x00" * 50,
    "BMP": b"BM" + b"\x01\x00" * 50,
    "truncated PNG": SMALL[:-20],
    "PNG without pixels": png(6, 8, pixels=b""),
    "PNG with broken pixels": png(6, 8, pixels=b"\x78\x9c" + b"\x55" * 50),
    "PNG bomb": png(100_000, 100_000, pixels=zlib.compress(b"\0" * 10**7)),
    "PNG of 2**64 pixels": png(2**32 - 1, 2**32 - 1, pixels=b"x"),
    "PNG of 2**31": png(2**31, 2**31, pixels=b"x"),
    "PNG of 0": png(0, 8, pixels=b"x"),
    "JPEG bomb": jpeg(65_535, 65_535),
    "JPEG of 0": jpeg(0, 0),
    "truncated JPEG": jpeg(8, 6)[:40],
    "JPEG, only its signature": b"\xff\xd8\xff" + b"\xff" * 50,
}


class Process:
    """`python -m seqclf.serve` in a process of its own."""

    def __init__(self, export_dir):
        command = [*python(), "-m", "seqclf.serve", f"--export_dir={export_dir}"]
        self.process = subprocess.Popen(
            [*command, "--port=0", "--grpc_port=-1"],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if match := re.match(r"REST +http://127\.0\.0\.1:(\d+)/", line):
                self.address = ("127.0.0.1", int(match[1]))
                return
        raise AssertionError("".join(lines))

    def ask(self, pictures):
        encoded = [{"b64": base64.b64encode(picture).decode()} for picture in pictures]
        return self.post(json.dumps({"signature_name": "serving_bytes", "instances": encoded}))

    def post(self, body):
        length = f"Content-Length: {len(body)}"
        head = request_head(length, "Connection: close", path="/v1/models/seqclf:predict")
        status, text = talk(self, head + body.encode())
        return status, json.loads(text)

    def megabytes(self):
        """Returns the resident memory of the process in MiB."""
        with open(f"/proc/{self.process.pid}/status") as file:
            return int(re.search(r"VmRSS:\s*(\d+) kB", file.read())[1]) / 1024

    def alive(self):
        status, answer = self.ask([SMALL])
        assert status == 200 and answer["predictions"][0]["class_name"] in ("a", "b"), answer


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    from seqclf import build_classifier
    from seqclf.config import resolve
    from seqclf.data.dataset import DatasetSpec
    from seqclf.serving.export import write_version
    from seqclf.serving.warmup import blank_examples

    spec = DatasetSpec("test", "rows", (8, 6), "uint8", ("a", "b"), full_scale=255.0)
    version = tmp_path_factory.mktemp("ours") / "1"
    version.mkdir()
    model = build_classifier(resolve({"model": {"units": [4]}}), spec)
    write_version(version, model, spec, {}, "uint8", blank_examples(spec))
    served = Process(version.parent)
    yield served
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(20) == 0
    served.process.stdout.close()


@pytest.mark.parametrize("case", PICTURES)
def test_pictures(ours, case):
    before = ours.megabytes()
    for pictures in ([PICTURES[case]], [SMALL, PICTURES[case], SMALL]):
        status, answer = ours.ask(pictures)
        assert status == 400 and answer.keys() == {"error"}, answer
        assert "function_node" not in answer["error"]
    ours.alive()
    assert ours.megabytes() - before < 200


def test_a_png_bomb_behind_a_chunk_of_its_own(ours):
    status, answer = ours.ask([png(8192, 8192, first=HIDING)])
    assert status == 400, answer


def test_pixels_and_examples_of_an_export(ours):
    body = {"instances": [[[0] * 6] * 8] * 65}
    status, answer = ours.post(json.dumps(body))
    assert status == 400 and "64" in answer["error"]
    status, answer = ours.post(json.dumps({"instances": [[[0.5] * 6] * 8]}))
    assert status == 400 and "uint8" in answer["error"]
    ours.alive()


def test_memory_is_given_back(ours):
    """Sends large bodies, good and bad ones, and large images, several times."""
    ours.alive()
    before = ours.megabytes()
    numbers = json.dumps({"instances": [[[255] * 6] * 8] * 20_000})
    lists = '{"instances": [' + "[]," * 1_000_000 + "[]]}"
    picture = png(4096, 4096)
    for _ in range(3):
        assert ours.post(numbers)[0] == 400
        assert ours.post(lists)[0] == 400
        assert ours.ask([picture])[0] == 200
    ours.alive()
    assert ours.megabytes() - before < 700

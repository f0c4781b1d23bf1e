"""Clients that stall: each gives its socket back after a limited time, and holds nobody up."""

import asyncio
import socket
import time

import pytest
from aiohttp import web

from seqclf.serving.server import grpc_services, http_connections

LIMIT = 0.4  # seconds
PREDICT = "/v1/models/zoo:predict"
HALF_A_HEADER = f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nX-Half".encode()


@pytest.fixture(scope="module")
def server(serving, save_zoo, tmp_path_factory):
    export_dir = tmp_path_factory.mktemp("zoo")
    save_zoo(export_dir, 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grpc_services, "HEADER_SECONDS", LIMIT)
        running = serving(export_dir)
    yield running
    running.close()


@pytest.fixture(autouse=True)
def limits(monkeypatch):
    for name in ("HEADER_SECONDS", "IDLE_SECONDS", "WRITE_SECONDS"):
        monkeypatch.setattr(http_connections, name, 60.0)
    return lambda name: monkeypatch.setattr(http_connections, name, LIMIT)


def connect(server, port=None):
    return socket.create_connection((server.address[0], port or server.port), timeout=20)


def seconds_until_closed(connection, drip=b""):
    """Waits until the server hangs up, and sends a byte now and then; returns the seconds."""
    started = time.monotonic()
    connection.settimeout(0.05)
    while time.monotonic() - started < 10:
        try:
            if drip:
                connection.sendall(drip)
            if not connection.recv(2**16):
                break
        except TimeoutError:
            continue
        except OSError:
            break
    return time.monotonic() - started


def request(body, *lines):
    head = [f"POST {PREDICT} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *lines, "", ""]
    return "\r\n".join(head).encode() + body


@pytest.mark.parametrize(
    ("sent", "drip"), [(b"", b""), (b"P", b""), (HALF_A_HEADER, b""), (HALF_A_HEADER, b"a")]
)
def test_a_header_that_does_not_come(server, limits, sent, drip):
    limits("HEADER_SECONDS")
    with connect(server) as connection:
        connection.sendall(sent)
        assert LIMIT * 0.8 < seconds_until_closed(connection, drip) < 5
    server.alive()


def test_a_second_header_that_does_not_come(server, limits):
    limits("IDLE_SECONDS")
    with connect(server) as connection:
        connection.sendall(request(b'{"instances": [2.0]}'))
        assert b"[3.0]" in connection.recv(2**16)
        connection.sendall(HALF_A_HEADER)
        assert seconds_until_closed(connection, b"a") < 5
    server.alive()


def test_a_body_may_take_longer_than_a_header(server, limits):
    limits("HEADER_SECONDS")
    whole = request(b'{"instances": [2.0]}', "Connection: close")
    with connect(server) as connection:
        connection.sendall(whole[:-5])
        time.sleep(LIMIT * 2)
        connection.sendall(whole[-5:])
        assert b"[3.0]" in connection.recv(2**16)


@pytest.mark.parametrize("reads", [True, False])
def test_a_response_that_is_not_read(limits, reads):
    limits("WRITE_SECONDS")
    size = 2**24  # more than the buffers of both sides hold

    async def handle(request):
        return web.Response(body=bytes(size))

    async def ask():
        server = http_connections.HttpServer(handle)
        runner = web.ServerRunner(server)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            reader, writer = await asyncio.open_connection(*runner.addresses[0])
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")
            if reads:
                assert len(await reader.readexactly(size)) == size
            else:
                await asyncio.sleep(LIMIT * 3)
            still_open = len(server.connections)
            writer.close()
            return still_open
        finally:
            await runner.cleanup()

    assert asyncio.run(ask()) == reads


def test_a_grpc_client_that_says_nothing(server):
    with connect(server, server.grpc_port) as connection:
        assert seconds_until_closed(connection) < 5


def test_a_client_that_waits_to_be_told_to_go_on(server):
    whole = request(b'{"instances": [2.0]}', "Expect: 100-continue", "Connection: close")
    head, _, body = whole.partition(b"\r\n\r\n")
    with connect(server) as connection:
        connection.sendall(head + b"\r\n\r\n")
        assert connection.recv(2**16).startswith(b"HTTP/1.1 100 ")
        connection.sendall(body)
        assert b"[3.0]" in connection.recv(2**16)

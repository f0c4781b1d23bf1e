"""An IPv6 address: both servers listen on it, and what is printed can be used."""

import re
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from seqclf.errors import ExportError
from seqclf.serving.client import connect
from seqclf.serving.server.ports import check_port_free, host_and_port
from seqclf.serving.server.run import ServerOptions, welcome_text


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 address ::1")


@pytest.fixture
def server(serving, save_zoo, tmp_path):
    save_zoo(tmp_path, 1)
    running = serving(tmp_path, host="::1")
    yield running
    running.close()


@needs_ipv6
def test_what_is_printed_can_be_used(server):
    server.alive()
    text = server.welcome()
    rest = re.search(r"REST +(\S+)", text)[1]
    grpc = re.search(r"gRPC +(\S+)", text)[1]
    metrics = re.search(r"metrics +(\S+)", text)[1]
    for url in (rest, f"grpc://{grpc}/{server.name}"):
        with connect(url) as client:
            assert client.predict({"x": [2.0]})["y"].tolist() == [3.0]
    assert urlsplit(metrics).hostname == "::1"


@needs_ipv6
def test_a_port_that_is_taken():
    with socket.socket(socket.AF_INET6) as bound:
        bound.bind(("::1", 0))
        bound.listen()
        port = bound.getsockname()[1]
        with pytest.raises(ExportError, match=rf"\[::1\]:{port} cannot be listened on"):
            check_port_free("::1", port, "--port")


@pytest.mark.parametrize("host", ["::1", "::", "fe80::1", "127.0.0.1", "localhost"])
def test_addresses_are_printed_as_urls_have_them(host):
    text = welcome_text(ServerOptions(Path("models"), host=host), 8501, 8500)
    rest, metrics = (urlsplit(url) for url in re.findall(r"http://\S+", text))
    assert (rest.hostname, rest.port) == (metrics.hostname, metrics.port) == (host, 8501)
    assert host_and_port(host, 8500) in text.splitlines()[1]

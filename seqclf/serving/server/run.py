"""`serve`: REST and gRPC in one event loop, until a signal ends them."""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from seqclf.errors import ExportError
from seqclf.serving.server.batcher import Batcher
from seqclf.serving.server.grpc_services import build_server, set_health
from seqclf.serving.server.http_connections import HttpServer
from seqclf.serving.server.page_files import PageFiles
from seqclf.serving.server.ports import host_and_port, port_error
from seqclf.serving.server.rest import CORS_HEADERS, METRICS_PATH, RestHandler
from seqclf.serving.server.service import Service
from seqclf.serving.server.versions import Versions

GRACE_SECONDS = 10.0  # time that requests under way have to end after a signal


@dataclass(frozen=True)
class ServerOptions:
    """The options of the local server.

    Attributes:
        export_dir: folder of the versions.
        name: name of the model, a part of its URLs.
        host: address or name to listen on.
        port: TCP port of the REST server; 0 picks a free one.
        grpc_port: TCP port of the gRPC server; 0 picks a free one, -1 starts no gRPC server.
        keep_loaded: number of versions to serve, the newest ones.
        labels: label → version.
        poll_seconds: seconds between two looks for new versions.
        cors: whether web pages of other origins may send requests.
        max_body: largest size of a request in bytes.
        timeout: seconds that a prediction may take.
        page: folder of the page that is sent under `/`; None: no page is sent.
    """

    export_dir: Path
    name: str = "seqclf"
    host: str = "127.0.0.1"
    port: int = 8501
    grpc_port: int = 8500
    keep_loaded: int = 1
    labels: Mapping[str, int] = field(default_factory=dict)
    poll_seconds: float = 1.0
    cors: bool = False
    max_body: int = 32 * 2**20
    timeout: float = 30.0
    page: Path | None = None


def serve(options: ServerOptions) -> None:
    """Serves until SIGINT or SIGTERM.

    Raises:
        ExportError: no version can be loaded, the files of the page cannot be read, or another
            process has a port.
    """
    # aiohttp would log a traceback for each connection that sends no HTTP; its client is told.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    asyncio.run(_serve(options))


async def _serve(options: ServerOptions) -> None:
    service = build_service(options)
    ended = _event_of_signals()
    try:
        await asyncio.get_running_loop().run_in_executor(None, service.versions.start)
        if not service.versions.available():
            raise ExportError(f"No version in {options.export_dir} can be served: see above.")
        async with contextlib.AsyncExitStack() as stack:
            port = await start_rest(service, options, stack)
            grpc_port = await start_grpc(service, options, stack)
            print(welcome_text(options, port, grpc_port), flush=True)
            await ended.wait()
            print("Ending: requests under way are answered.", flush=True)
    finally:
        service.close()


def build_service(options: ServerOptions) -> Service:
    """Builds the service for a folder of versions; none is loaded yet."""

    def log(line: str) -> None:
        with contextlib.suppress(OSError):  # whoever read the output may have ended
            print(line, flush=True)

    versions = Versions(
        options.name,
        options.export_dir,
        options.keep_loaded,
        options.labels,
        options.poll_seconds,
        log,
    )
    return Service(versions, Batcher(threads=os.cpu_count() or 1), options.timeout, log)


async def start_rest(
    service: Service, options: ServerOptions, stack: contextlib.AsyncExitStack
) -> int:
    """Starts the REST server; returns its port.

    Args:
        service: the service that does the work.
        options: address and limits.
        stack: stops the server when it closes.

    Raises:
        ExportError: the port cannot be listened on, or the files of the page cannot be read.
    """
    headers = CORS_HEADERS if options.cors else {}
    page = PageFiles(options.page, options.name) if options.page else None
    server = HttpServer(RestHandler(service, options.max_body, headers, page).handle)
    runner = web.ServerRunner(server, shutdown_timeout=GRACE_SECONDS)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    try:
        await web.TCPSite(runner, options.host, options.port).start()
    except OSError as error:
        raise port_error(options.host, options.port, "--port", error) from error
    return int(runner.addresses[0][1])


async def start_grpc(
    service: Service, options: ServerOptions, stack: contextlib.AsyncExitStack
) -> int | None:
    """Starts the gRPC server; returns its port, or None if the options want no such server.

    Args:
        service: the service that does the work.
        options: address and limits.
        stack: stops the server when it closes.

    Raises:
        ExportError: the port cannot be listened on.
    """
    if options.grpc_port < 0:
        return None
    server = build_server(service, options.max_body)
    try:
        port = server.add_insecure_port(host_and_port(options.host, options.grpc_port))
    except RuntimeError as error:
        raise port_error(options.host, options.grpc_port, "--grpc_port", error) from error
    await server.start()
    stack.push_async_callback(server.stop, GRACE_SECONDS)
    await set_health(server, serving=True)
    return int(port)


def welcome_text(options: ServerOptions, port: int, grpc_port: int | None) -> str:
    """Returns the lines that name the addresses of the servers."""
    base = f"http://{host_and_port(options.host, port)}"
    lines = [
        f"page    {base}/" if options.page else "",
        f"REST    {base}/v1/models/{options.name}",
        "" if grpc_port is None else f"gRPC    {host_and_port(options.host, grpc_port)}",
        f"metrics {base}{METRICS_PATH}",
        "For development: in production serve the same folder with TensorFlow Serving, "
        "see docs/serving.md. Ctrl-C ends it.",
    ]
    return "\n".join(line for line in lines if line)


def _event_of_signals() -> asyncio.Event:
    """Returns an event that SIGINT or SIGTERM sets."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    return ended

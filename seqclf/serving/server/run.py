"""`serve`: both servers in one event loop, until a signal ends them."""

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
from seqclf.serving.server.grpc_services import build_server, report_health
from seqclf.serving.server.ports import taken
from seqclf.serving.server.rest import METRICS_PATH, build_app
from seqclf.serving.server.service import Service
from seqclf.serving.server.versions import Versions

GRACE_SECONDS = 10.0  # that requests under way have to end, once a signal came


@dataclass(frozen=True)
class ServerOptions:
    """How to serve.

    Attributes:
        export_dir: the folder of the versions.
        name: of the model, in addresses.
        host: the address that is listened on.
        port: of REST; 0: any free one.
        grpc_port: of gRPC; 0: any free one, -1: none.
        keep_loaded: how many of the newest versions to serve.
        labels: label → version.
        poll_seconds: how often to look for new versions.
        cors: whether pages from elsewhere may ask.
        max_body: bytes of a request.
        timeout: seconds of a prediction.
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


def serve(options: ServerOptions) -> None:
    """Serves until SIGINT or SIGTERM.

    Raises:
        ExportError: no version can be loaded, or a port is taken.
    """
    # It would log the traceback of whatever is no HTTP; the client is told what was wrong.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    asyncio.run(_serve(options))


async def _serve(options: ServerOptions) -> None:
    service = _service(options)
    ended = _event_of_signals()
    try:
        await asyncio.get_running_loop().run_in_executor(None, service.versions.start)
        if not service.versions.available():
            raise ExportError(f"No version in {options.export_dir} can be served: see above.")
        async with contextlib.AsyncExitStack() as stack:
            port = await _start_rest(service, options, stack)
            grpc_port = await _start_grpc(service, options, stack)
            print(_welcome(options, port, grpc_port), flush=True)
            await ended.wait()
            print("Ending: requests under way are answered.", flush=True)
    finally:
        service.close()


def _service(options: ServerOptions) -> Service:
    versions = Versions(
        options.name,
        options.export_dir,
        options.keep_loaded,
        options.labels,
        options.poll_seconds,
        say=lambda line: print(line, flush=True),
    )
    return Service(versions, Batcher(threads=os.cpu_count() or 1), options.timeout)


async def _start_rest(
    service: Service, options: ServerOptions, stack: contextlib.AsyncExitStack
) -> int:
    app = build_app(service, options.max_body, options.cors)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=GRACE_SECONDS)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    try:
        await web.TCPSite(runner, options.host, options.port).start()
    except OSError as error:
        raise taken(options.host, options.port, "--port", error) from error
    return runner.addresses[0][1]


async def _start_grpc(
    service: Service, options: ServerOptions, stack: contextlib.AsyncExitStack
) -> int | None:
    if options.grpc_port < 0:
        return None
    server = build_server(service, options.max_body)
    try:
        port = server.add_insecure_port(f"{options.host}:{options.grpc_port}")
    except RuntimeError as error:
        raise taken(options.host, options.grpc_port, "--grpc_port", error) from error
    await server.start()
    stack.push_async_callback(server.stop, GRACE_SECONDS)
    await report_health(server, serving=True)
    return port


def _event_of_signals() -> asyncio.Event:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    return ended


def _welcome(options: ServerOptions, port: int, grpc_port: int | None) -> str:
    base = f"http://{options.host}:{port}"
    lines = [
        f"REST    {base}/v1/models/{options.name}",
        f"gRPC    {options.host}:{grpc_port}" if grpc_port is not None else "",
        f"metrics {base}{METRICS_PATH}",
        "For development: in production serve the same folder with TensorFlow Serving, "
        "see docs/serving.md. Ctrl-C ends it.",
    ]
    return "\n".join(line for line in lines if line)

"""`HttpServer`: aiohttp's server with limits on connections that stall.

aiohttp waits for ever for the rest of a request's header, and for a client that does not read its
response. Each such connection would hold a socket.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

HEADER_SECONDS = 30.0  # from the connection to the end of its first request's header
IDLE_SECONDS = 75.0  # from a response to the end of the next request's header
WRITE_SECONDS = 60.0  # in which a client must take some more of a response that is sent to it
MAX_LINE_BYTES = 2**16  # of the request line, and of a header

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Connection(web.RequestHandler):
    """One connection; it ends if the client stalls."""

    __slots__ = ("_header_timer", "_write_timer")

    def __init__(self, server: web.Server, **options: Any):
        super().__init__(server, **options)
        self._header_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Starts the time for the first header."""
        super().connection_made(transport)
        self._header_timer = self._loop.call_later(HEADER_SECONDS, self._abort)

    def header_received(self) -> None:
        """Ends the time for the first header."""
        if self._header_timer is not None:
            self._header_timer.cancel()

    def pause_writing(self) -> None:
        """Starts the time in which the client must take some of the response."""
        super().pause_writing()
        self._wait_for_reader()

    def resume_writing(self) -> None:
        """Ends that time."""
        super().resume_writing()
        if self._write_timer is not None:
            self._write_timer.cancel()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Ends all timers."""
        for timer in (self._header_timer, self._write_timer):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def _wait_for_reader(self) -> None:
        left = self._unsent()
        self._write_timer = self._loop.call_later(WRITE_SECONDS, self._abort_if_stalled, left)

    def _abort_if_stalled(self, unsent_before: int) -> None:
        if self._unsent() < unsent_before:  # the client reads, if slowly
            self._wait_for_reader()
        else:
            self._abort()

    def _unsent(self) -> int:
        transport = self.transport
        return (
            transport.get_write_buffer_size()
            if isinstance(transport, asyncio.WriteTransport)
            else 0
        )

    def _abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()


class HttpServer(web.Server):
    """Makes a `Connection` for each client.

    Args:
        handler: returns the response to a request.
    """

    def __init__(self, handler: Handler):
        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            if isinstance(request.protocol, Connection):
                request.protocol.header_received()
            return await handler(request)

        super().__init__(handle)

    def __call__(self) -> web.RequestHandler:
        """Returns the protocol of a new connection."""
        return Connection(
            self,
            loop=asyncio.get_running_loop(),
            access_log=None,
            auto_decompress=False,  # `read_body` does it, as TensorFlow Serving does
            keepalive_timeout=IDLE_SECONDS,
            max_line_size=MAX_LINE_BYTES,
            max_field_size=MAX_LINE_BYTES,
        )

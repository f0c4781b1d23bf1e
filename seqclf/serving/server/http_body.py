"""The body of an HTTP request, read within limits of time and size."""

import asyncio
import zlib

from aiohttp import web

from seqclf.serving.server.fault import Fault, invalid

BODY_SECONDS = 30.0  # time in which the whole body must arrive
GZIP_FORMAT = 31  # zlib's number for gzip with the largest window


async def read_body(request: web.BaseRequest, max_body: int) -> bytes:
    """Reads a body; one that is compressed by gzip is decompressed.

    Args:
        request: the request.
        max_body: largest size in bytes, before and after decompression.

    Raises:
        Fault: status 413 if the body is too large, 408 if it does not arrive in time; or it is
            broken off or cannot be decompressed.
    """
    if (request.content_length or 0) > max_body:
        raise _too_large(max_body)
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
    try:
        body = await asyncio.wait_for(_read(request, max_body), BODY_SECONDS)
    except (TimeoutError, asyncio.TimeoutError):
        message = f"The body did not come within {BODY_SECONDS:g} s."
        raise Fault("DEADLINE_EXCEEDED", message, status=408) from None
    except (ValueError, web.RequestPayloadError, web.PayloadAccessError, OSError) as error:
        raise invalid(f"The body cannot be read: {error}") from error
    if "gzip" in request.headers.get("Content-Encoding", ""):
        return _decompress(body, max_body)
    return body


async def _read(request: web.BaseRequest, max_body: int) -> bytes:
    body = bytearray()
    async for piece in request.content.iter_any():
        body += piece
        if len(body) > max_body:
            raise _too_large(max_body)
    return bytes(body)


def _decompress(body: bytes, max_body: int) -> bytes:
    decompressor = zlib.decompressobj(GZIP_FORMAT)
    try:
        content = decompressor.decompress(body, max_body + 1)
    except zlib.error as error:
        raise invalid(f"The body cannot be decompressed: {error}") from error
    if len(content) > max_body:
        raise _too_large(max_body)
    if not decompressor.eof:
        raise invalid("The body cannot be decompressed: its end is missing")
    return content


def _too_large(max_body: int) -> Fault:
    return Fault("INVALID_ARGUMENT", f"The body is larger than {max_body} bytes.", status=413)

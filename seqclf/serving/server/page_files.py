"""`PageFiles`: the files of a web page, which the local server sends beside its REST API."""

import hashlib
import html
import json
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from seqclf.errors import ExportError

INDEX = "index.html"  # is sent for `/` as well
CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}
METHODS = ("GET", "HEAD")
# What the index has where it is opened from the disk; the server names its model there.
NO_MODEL = '<meta name="served-model" content="">'
# The page loads and asks nothing but this server, and no other page can be laid around it.
POLICY = "; ".join(
    [
        *("default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:"),
        *("connect-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"),
    ]
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",  # a browser may keep a file, but asks by its ETag whether it holds
}


@dataclass(frozen=True)
class PageFile:
    """A file of the page.

    Attributes:
        content: its bytes.
        content_type: its media type.
        etag: what tells this content from any other, with its quotation marks.
    """

    content: bytes
    content_type: str
    etag: str


class PageFiles:
    """The files of a page, read once: no request can name a file that is not among them.

    Args:
        folder: the folder of the page, with an `index.html`; only HTML, CSS and JavaScript files
            that lie in it directly are sent.
        model: name of the served model, which the page asks first.

    Raises:
        ExportError: the folder has no page.
    """

    def __init__(self, folder: Path, model: str):
        try:
            paths = sorted(path for path in folder.iterdir() if path.suffix in CONTENT_TYPES)
            contents = {path.name: path.read_bytes() for path in paths if path.is_file()}
            contents[INDEX] = _with_model(contents[INDEX].decode(), model).encode()
        except (OSError, KeyError, UnicodeDecodeError) as error:
            raise ExportError(
                f"The files of the page cannot be read in {folder} ({_reason(error)}): install "
                "seqclf again, or leave --page out."
            ) from error
        self._files = {name: _page_file(name, content) for name, content in contents.items()}

    def respond(self, method: str, target: str, headers: Mapping[str, str]) -> web.Response | None:
        """Returns the response to a request for a file of the page; None: it is for no such file.

        Args:
            method: method of the request. Other ones than GET and HEAD get status 405.
            target: path and query of the request; the query is for the page's own script.
            headers: headers of the request.
        """
        file = self._files.get(target.partition("?")[0].removeprefix("/") or INDEX)
        if file is None or not target.startswith("/"):
            return None
        if method not in METHODS:
            message = (
                f"Files of the page can be read only ({', '.join(METHODS)}): {method} {target}"
            )
            return web.Response(
                body=json.dumps({"error": message[:500]}).encode(),
                status=405,
                content_type="application/json",
                headers={"Allow": ", ".join(METHODS)},
            )
        known = [each.strip().removeprefix("W/") for each in _etags(headers)]
        if file.etag in known or "*" in known:
            return web.Response(status=304, headers={**HEADERS, "ETag": file.etag})
        return web.Response(
            body=file.content,
            headers={**HEADERS, "ETag": file.etag, "Content-Type": file.content_type},
        )


def _etags(headers: Mapping[str, str]) -> list[str]:
    return headers.get("If-None-Match", "").split(",")


def _with_model(index: str, model: str) -> str:
    """Returns the index with the path of the served model.

    Raises:
        KeyError: it has no place for the path.
    """
    if NO_MODEL not in index:
        raise KeyError(NO_MODEL)
    path = html.escape(f"/v1/models/{urllib.parse.quote(model, safe='')}")
    return index.replace(NO_MODEL, NO_MODEL.replace('content=""', f'content="{path}"'))


def _page_file(name: str, content: bytes) -> PageFile:
    digest = hashlib.sha256(content).hexdigest()
    return PageFile(content, CONTENT_TYPES[Path(name).suffix], f'"{digest[:32]}"')


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error.args[0]} is missing"
    return getattr(error, "strerror", None) or str(error)

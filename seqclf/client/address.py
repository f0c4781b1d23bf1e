"""URLs of models: `http://HOST:8501/v1/models/NAME`, `grpc://HOST:8500/NAME`, …"""

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from .errors import ConfigError

DEFAULT_MODEL = "seqclf"
VERSION_CHOICE = r"(?:/versions/(?P<version>\d{1,18})|/labels/(?P<label>[^/:]+))?/?"
REST_PATH = re.compile(r"(?P<prefix>.*?)/v1/models/(?P<model>[^/:]+)" + VERSION_CHOICE)
GRPC_PATH = re.compile(r"(?P<prefix>)/(?P<model>[^/:]+)" + VERSION_CHOICE)
HOST = re.compile(r"(?:[\w-]{1,63}\.)*[\w-]{1,63}\.?|[0-9a-f:.]*:[0-9a-f:.%\w]*", re.ASCII | re.I)
DEFAULT_PORTS = {"http": 80, "https": 443, "grpc": None, "grpcs": None}


@dataclass(frozen=True)
class Address:
    """The parts of a model's URL.

    Attributes:
        url: the whole URL as it was given.
        scheme: http, https, grpc or grpcs.
        host: name or address of the server; an IPv6 address is without brackets.
        port: TCP port of the server.
        prefix: path before `/v1/models`, if a proxy serves the API below such a path.
        model: name of the model.
        version: number of the version to ask; None leaves the choice to the server.
        label: label of the version to ask; "" if there is none.
    """

    url: str
    scheme: str
    host: str
    port: int
    prefix: str
    model: str
    version: int | None
    label: str

    @property
    def is_grpc(self) -> bool:
        return self.scheme.startswith("grpc")

    @property
    def is_secure(self) -> bool:
        return self.scheme in ("https", "grpcs")


def parse_address(url: str) -> Address:
    """Splits a model's URL into its parts.

    Raises:
        ConfigError: it is not the URL of a model.
    """
    try:
        parts = urlsplit(url)
        given_port = parts.port
    except ValueError as error:
        raise _unusable(url, str(error)) from None
    if parts.scheme not in DEFAULT_PORTS:
        raise _unusable(url, "it must begin with http://, https://, grpc:// or grpcs://")
    if "@" in parts.netloc:
        raise _unusable(url, "give a password as a header, not in the address")
    if parts.query or parts.fragment:
        raise _unusable(url, "there must be nothing after ? or #")
    host = parts.hostname or ""
    if not HOST.fullmatch(host):
        raise _unusable(url, "its host is missing or not a host's name")
    port = DEFAULT_PORTS[parts.scheme] if given_port is None else given_port
    if not port:
        raise _unusable(url, "its port is missing, as in grpc://localhost:8500")
    is_grpc = parts.scheme.startswith("grpc")
    if parts.path in ("", "/"):
        return Address(url, parts.scheme, host, port, "", DEFAULT_MODEL, None, "")
    match = (GRPC_PATH if is_grpc else REST_PATH).fullmatch(parts.path)
    if not match:
        form = "/NAME" if is_grpc else "/v1/models/NAME"
        raise _unusable(url, f"its path must be {form}, {form}/versions/N or {form}/labels/L")
    return Address(
        url,
        parts.scheme,
        host,
        port,
        match["prefix"],
        unquote(match["model"]),
        None if match["version"] is None else int(match["version"]),
        unquote(match["label"] or ""),
    )


def _unusable(url: str, why: str) -> ConfigError:
    # A password or a key in the URL must not be shown.
    shown = "(not shown)" if "@" in url else repr(re.split(r"[?#]", url)[0])
    return ConfigError(f"The server's address cannot be used: {why}. Received: {shown}")

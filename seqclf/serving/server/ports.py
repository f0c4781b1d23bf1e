"""Whether a server can listen on a port; without TensorFlow, so that the answer comes at once."""

import socket

from seqclf.errors import ExportError


def host_and_port(host: str, port: int) -> str:
    """Returns `HOST:PORT` as URLs have it: with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def check_port_free(host: str, port: int, flag: str) -> None:
    """Checks that a port can be listened on, before a model is loaded, which takes seconds.

    Args:
        host: address or name to listen on.
        port: TCP port; 0 and below are not checked.
        flag: the flag that gave the port, for the message.

    Raises:
        ExportError: another process has the port, or the host is not this machine's.
    """
    if port <= 0:
        return
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise port_error(host, port, flag, error) from error


def port_error(host: str, port: int, flag: str, error: Exception) -> ExportError:
    """Returns the error for a port that cannot be listened on."""
    reason = getattr(error, "strerror", None) or error
    return ExportError(
        f"{host_and_port(host, port)} cannot be listened on ({reason}): choose another {flag}, "
        "or --host."
    )

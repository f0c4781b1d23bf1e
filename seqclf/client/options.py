"""The arguments of `connect`, checked, and the time of one call."""

import math
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import ConfigError

if TYPE_CHECKING:
    from ssl import SSLContext

MAX_BATCH_SIZE = 64  # as our exports tell TensorFlow Serving; a larger request gets a 400


@dataclass(frozen=True)
class ClientOptions:
    """The arguments of `connect`, checked; `connect` explains them.

    Raises:
        ConfigError: an argument cannot be used.
    """

    timeout: float
    retries: int
    max_batch: int
    headers: dict[str, str] = field(repr=False)  # a header may hold a password
    ca_file: str | None
    client_cert: str | None
    client_key: str | None

    def __post_init__(self) -> None:
        if not (self.timeout > 0 and math.isfinite(self.timeout)):
            raise ConfigError(f"`timeout` must be positive seconds. Received: {self.timeout}")
        if self.retries < 0:
            raise ConfigError(f"`retries` must be 0 or more. Received: {self.retries}")
        if self.max_batch < 1:
            raise ConfigError(f"`max_batch` must be 1 or more. Received: {self.max_batch}")
        for name, value in self.headers.items():
            if not (name.isascii() and value.isascii() and (name + value).isprintable() and name):
                raise ConfigError(f"The header {name!r} must be printable ASCII, name and value.")
        if self.client_key and not self.client_cert:
            raise ConfigError("`client_key` needs `client_cert` too.")

    @property
    def has_tls_files(self) -> bool:
        """Whether a file for TLS was given."""
        return any((self.ca_file, self.client_cert, self.client_key))

    def tls_context(self) -> "SSLContext":
        """Returns a TLS context with the files loaded.

        Raises:
            ConfigError: a file is missing or is not a PEM file of the right kind.
        """
        import ssl  # here: all of seqclf imports this package for its errors

        try:
            context = ssl.create_default_context(cafile=self.ca_file)
            if self.client_cert:
                # An empty password: without one OpenSSL would ask for that of an encrypted key.
                context.load_cert_chain(self.client_cert, self.client_key, password="")
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            files = [self.ca_file, self.client_cert, self.client_key]
            missing = [file for file in files if file and not Path(file).is_file()]
            why = f"no such file: {missing[0]}" if missing else f"not usable PEM files ({error})"
            raise ConfigError(f"`ca_file`, `client_cert` or `client_key`: {why}") from error
        return context


class Budget:
    """The time that one call may take.

    Args:
        seconds: length of that time; it begins now.
    """

    def __init__(self, seconds: float):
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Returns the seconds that are left; negative when the time is up."""
        return self._end - time.monotonic()

"""`VersionStatus`: the state of a version on the server."""

from dataclasses import dataclass


@dataclass(frozen=True)
class VersionStatus:
    """The state of a version on the server.

    Attributes:
        version: number of the version.
        state: START, LOADING, AVAILABLE, UNLOADING or END.
        error: the reason why it could not be loaded; "" if nothing went wrong.
    """

    version: int
    state: str
    error: str

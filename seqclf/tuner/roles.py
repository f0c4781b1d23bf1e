"""The role of this process in a search (alone, chief or worker), and how chief and workers connect.

Keras Tuner decides it by three environment variables, which are all set or none.
"""

import os
import socket

import grpc

from seqclf.errors import SearchError

ALONE, CHIEF, WORKER = "alone", "chief", "worker"
CHIEF_TIMEOUT = 300.0  # seconds that a worker waits for its chief to answer
TUNER_ID, ORACLE_IP, ORACLE_PORT = (
    "KERASTUNER_TUNER_ID",
    "KERASTUNER_ORACLE_IP",
    "KERASTUNER_ORACLE_PORT",
)
ENVIRONMENT = (TUNER_ID, ORACLE_IP, ORACLE_PORT)


def role_of_process() -> str:
    """Returns `ALONE`, `CHIEF` or `WORKER`, by Keras Tuner's environment variables.

    Raises:
        SearchError: only some of the variables are set.
    """
    given = [name for name in ENVIRONMENT if os.environ.get(name)]
    if len(given) not in (0, len(ENVIRONMENT)):
        missing = [name for name in ENVIRONMENT if name not in given]
        raise SearchError(
            f"{', '.join(given)} is set, but {', '.join(missing)} is not: chief and workers need "
            "all three, a search on its own none."
        )
    if not given:
        return ALONE
    return CHIEF if "chief" in os.environ[TUNER_ID] else WORKER


def chief_address() -> str:
    """Returns `IP:PORT`, where the chief listens."""
    return f"{os.environ[ORACLE_IP]}:{os.environ[ORACLE_PORT]}"


def check_chief_port() -> None:
    """Checks that the chief can listen where its workers will look for it.

    Raises:
        SearchError: the address is not of this machine, or the port is in use or no number.
    """
    try:
        address = os.environ[ORACLE_IP], int(os.environ[ORACLE_PORT])
        socket.create_server(address).close()
    except (OSError, ValueError, OverflowError) as error:
        raise SearchError(
            f"The chief cannot listen at {chief_address()} ({error}): {ORACLE_IP} must be an "
            f"address of this machine and {ORACLE_PORT} a free port."
        ) from error


def wait_for_chief() -> None:
    """Waits until the chief answers.

    Raises:
        SearchError: its port is no port number, or it does not answer within `CHIEF_TIMEOUT`.
    """
    port = os.environ[ORACLE_PORT]
    if not (port.isascii() and port.isdecimal() and 0 < int(port) < 2**16):
        raise SearchError(f"{ORACLE_PORT} must be a number from 1 to 65535. Received: {port!r}")
    print(f"Waiting for the chief at {chief_address()} …", flush=True)
    with grpc.insecure_channel(chief_address()) as channel:
        try:
            grpc.channel_ready_future(channel).result(CHIEF_TIMEOUT)
        except grpc.FutureTimeoutError:
            raise SearchError(
                f"No chief answers at {chief_address()} after {CHIEF_TIMEOUT:g} s. Start it with "
                f"{TUNER_ID}=chief and the same command."
            ) from None

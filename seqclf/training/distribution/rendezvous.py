"""`meet`: workers wait for each other before TensorFlow does.

TensorFlow's own wait cannot be interrupted (no signal handler of Python's runs in it, and its own
takes SIGTERM and does nothing), says nothing, and does not notice a port that is taken until later.
"""

import contextlib
import socket
import time

from seqclf.errors import WorkerLostError
from seqclf.training.distribution.cluster import Cluster

INTERVAL = 0.2  # seconds between two looks
REMINDER = 60.0  # seconds between two lines that say who is missing


def meet(cluster: Cluster) -> None:
    """Returns once every worker has been seen at its address.

    Each listens at its own port until it has seen all others; then TensorFlow's server takes the
    port over, which answers those who are still looking.

    Raises:
        WorkerLostError: this worker's port is taken.
    """
    own = cluster.addresses[cluster.index]
    missing = [address for address in cluster.addresses if address != own]
    place = f"Worker {cluster.index} of {len(cluster.addresses)}, at {own}"
    print(f"{place}: waiting for {', '.join(missing)} …", flush=True)
    port = int(own.rpartition(":")[2])
    try:
        listener = socket.create_server(("", port), backlog=len(cluster.addresses) + 8)
    except OSError as error:
        raise WorkerLostError(
            f"{place}: port {port} of this machine cannot be listened at ({error.strerror}). End "
            "what uses it, or name another port in TF_CONFIG, for every worker."
        ) from error
    with listener:
        reminded = time.monotonic()
        while missing := [address for address in missing if not _answers(address)]:
            if time.monotonic() - reminded > REMINDER:
                reminded = time.monotonic()
                print(f"{place}: still waiting for {', '.join(missing)} …", flush=True)
            time.sleep(INTERVAL)


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with contextlib.suppress(OSError):  # not started yet, or its name not known yet
        socket.create_connection((host.strip("[]"), int(port)), timeout=1.0).close()
        return True
    return False

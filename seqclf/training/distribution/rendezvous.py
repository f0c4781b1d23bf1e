"""`meet`: waits until all workers are there, before TensorFlow waits for them.

TensorFlow's own wait cannot be interrupted: Python's signal handlers do not run during it, and
TensorFlow's handler takes SIGTERM and does nothing. It also prints nothing, and notices only later
that a port is taken.
"""

import contextlib
import socket
import time

from seqclf.errors import WorkerLostError
from seqclf.training.distribution.cluster import Cluster

INTERVAL = 0.2  # seconds between two attempts to connect
REMINDER = 60.0  # seconds between two lines that say which workers are missing


def meet(cluster: Cluster) -> None:
    """Waits until every other worker accepts connections at its address.

    Each worker listens at its own port until it has reached all others. Then TensorFlow's server
    takes the port over, and answers the workers that are still waiting.

    Args:
        cluster: the workers.

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
    with contextlib.suppress(OSError):  # it has not started yet, or its name is not known yet
        socket.create_connection((host.strip("[]"), int(port)), timeout=1.0).close()
        return True
    return False

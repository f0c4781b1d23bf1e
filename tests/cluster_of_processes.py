"""Workers as real processes on the loopback address."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time

SMALL = [
    "--config.data.source=digits",
    "--config.model.units=16,8",
    "--config.model.conv=8,6",  # beside them, so that both kinds of layers are trained together
    "--config.batch_size=32",
    "--config.steps=100",
    "--config.validate_every=1",  # so that metrics.jsonl has the loss of every step
    "--config.checkpoint_every=10",
    "--config.select=last",
    "--config.jit_compile=false",  # starts sooner; compiled in the slow tests
]


def free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)
        ]
        return [each.getsockname()[1] for each in sockets]


class Workers:
    """Processes of `seqclf.train` that are started together and killed at the end if need be.

    They are real processes, no forks: TensorFlow leaves a cluster in an orderly way only at an
    orderly end of the process.
    """

    def __init__(self, workdirs, *flags, cwds=None):
        ports = free_ports(len(workdirs))
        addresses = [f"127.0.0.1:{port}" for port in ports]
        self.processes = []
        for index, workdir in enumerate(workdirs):
            task = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
            self.processes.append(
                subprocess.Popen(
                    [sys.executable, "-m", "seqclf.train", f"--workdir={workdir}", *flags],
                    cwd=cwds and cwds[index],
                    env=os.environ | {"TF_CONFIG": json.dumps(task)},
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
                )
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.communicate()

    def wait(self, timeout=180):
        """Returns exit status and output of each."""
        deadline = time.monotonic() + timeout
        outputs = []
        for process in self.processes:
            output, _ = process.communicate(timeout=max(1, deadline - time.monotonic()))
            outputs.append((process.returncode, output))
        return outputs

    def wait_for(self, condition, timeout=120):
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, "it did not happen"
            assert all(process.poll() is None for process in self.processes), "one has ended"
            time.sleep(0.01)


def checkpoints(workdir):
    return sorted(path.name for path in (workdir / "checkpoints").glob("step-*.npz"))

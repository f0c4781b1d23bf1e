"""A request to stop is recorded and said, even in the middle of a print."""

import contextlib
import io
import os
import signal

from seqclf.console.signals import stop_requests


class Interrupting(io.RawIOBase):
    """Standard output, during whose first write a signal comes."""

    def writable(self):
        return True

    def write(self, data):
        if b"step" in bytes(data):
            signal.raise_signal(signal.SIGTERM)
        return os.write(1, data)


def test_a_signal_in_the_middle_of_a_print(capfd):
    stream = io.TextIOWrapper(io.BufferedWriter(Interrupting()), write_through=True)
    with contextlib.redirect_stdout(stream), stop_requests() as request:
        print("step 1", flush=True)
    assert request.signal == signal.SIGTERM
    said = capfd.readouterr().out
    assert "step 1\n" in said and said.count("SIGTERM: saving after this step") == 1


def test_a_signal_between_two_prints(capsys):
    with stop_requests() as request:
        signal.raise_signal(signal.SIGINT)
    assert request.signal == signal.SIGINT
    assert "SIGINT: saving after this step" in capsys.readouterr().out

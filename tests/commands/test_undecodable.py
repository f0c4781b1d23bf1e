"""An argument that is not UTF-8 ends in one message: TensorFlow could not open it as a path."""

import subprocess
import sys


def test_an_argument_that_is_not_utf8(tmp_path):
    command = [sys.executable, "-m", "seqclf.tune", "--config=digits", b"--workdir=caf\xe9"]
    done = subprocess.run(command, capture_output=True, cwd=tmp_path, timeout=120)
    assert done.returncode == 2
    said = done.stderr.strip()
    assert said.startswith(b"error: Arguments must be UTF-8") and said.count(b"\n") == 0
    assert said.endswith(b"Received: '--workdir=caf\\udce9'")
    assert not list(tmp_path.iterdir())

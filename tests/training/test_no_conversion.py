"""AutoGraph converts none of our code: that would take seconds at the start of every command."""

import subprocess

from running import python

PROGRAM = """
import re
import sys
from pathlib import Path

import seqclf

data = seqclf.load_dataset("digits")
run = seqclf.fit({"steps": 2, "model.units": [4]}, data, workdir="run")
seqclf.predict(run, data.test.x[:3])
files = [sys.modules[name].__file__ for name in sys.modules if "__autograph_generated" in name]
print(*[re.search(r"def tf__(\\w+)", Path(file).read_text())[1] for file in files])
"""


def test_nothing_is_converted(tmp_path):
    """TensorFlow imports what it has converted as modules; it converts a wrapper of its own."""
    done = subprocess.run([*python(), "-c", PROGRAM], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1:] == ["signature_wrapper"], done.stdout + done.stderr

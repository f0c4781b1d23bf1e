"""Every command, request and program of docs/text.md runs, in the order of the page.

But for the measurements, which take an hour: tests/benchmarks runs them on little data.
"""

import contextlib
import itertools
import json
import os
import re
import shlex
import shutil
import subprocess

import pytest
from json_forms import form
from running import ROOT, background, free_port, python

PAGE = (ROOT / "docs" / "text.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
SHORT = (
    " --config.model.units='[8]' --config.epochs=0 --config.steps=10 --config.batch_size=8"
    " --config.data.window=10 --config.jit_compile=false"
)


def run(command, folder):
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, shell=True, cwd=folder, capture_output=True, text=True, timeout=300, env=env
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not on this machine")
def test_the_page(tmp_path):
    (tmp_path / "book.txt").write_text("the time traveller was at the time machine again\n" * 40)
    ports = {"8501": str(free_port()), "8500": str(free_port())}
    said, compared = [], 0
    with contextlib.ExitStack() as server:
        for (language, text), (below, answer) in itertools.pairwise([*BLOCKS, ("", "")]):
            for port, other in ports.items():
                text = text.replace(port, other)
            if language == "python":
                (tmp_path / "program.py").write_text(text)
                run(f"{shlex.join(python())} program.py", tmp_path)
            for line in text.splitlines() if language == "sh" else ():
                if " -m benchmarks." in line:
                    continue
                line = line.replace("python ", f"{shlex.join(python())} ", 1)
                line = line.replace("curl ", "curl --silent --fail-with-body ")
                if "seqclf.train" in line:
                    line = re.sub(r" --config\.(model\.units|epochs)=\S+", "", line) + SHORT
                if line == "kill %1":
                    server.close()
                elif line.endswith("&"):
                    server.enter_context(background(line.rstrip("& "), tmp_path))
                else:
                    said.append(run(line, tmp_path))
                if below == "json":
                    assert form(json.loads(said[-1])) == form(json.loads(answer)), line
                    compared += 1
    assert compared == 2
    of_run, of_export = [each for each in said if each.startswith("the time")][:2]
    assert of_run == of_export and len(of_run) == len("the time") + 100 + 1

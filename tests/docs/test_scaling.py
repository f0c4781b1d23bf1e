"""The commands of docs/scaling.md that need no second machine."""

import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from cluster_of_processes import free_ports
from running import python

pytestmark = pytest.mark.faults

ROOT = Path(__file__).parents[2]


def test_two_workers_by_hand(tmp_path):
    text = (ROOT / "docs" / "scaling.md").read_text()
    (block,) = re.findall(r"^```sh\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    assert block.count("--config.steps=200") == 2
    script = block.replace("steps=200", "steps=20 --config.jit_compile=false")
    script = script.replace("  python ", f"  {shlex.join(python())} ")
    for shown, free in zip(("12345", "12346"), free_ports(2), strict=True):
        script = script.replace(f":{shown}", f":{free}")
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    done = subprocess.run(
        ["bash", "-c", f"{script}\nstatus=$?; wait; exit $status"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Worker 1 is done" in done.stdout
    report = json.loads((tmp_path / "runs" / "two" / "report.json").read_text())
    assert report["training"]["steps"] == 20

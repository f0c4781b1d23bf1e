"""The native passes under the compiler's sanitizers: addresses, undefined behaviour, threads.

`fuzz.cc` draws the shapes. It is built by the compiler that would build the package.
"""

import os
import platform
import shutil
import subprocess
from pathlib import Path

import pytest
from running import ROOT

COMPILER = os.environ.get("CXX", "g++").split()
SOURCES = ROOT / "seqclf" / "layers" / "native" / "src"
FLAGS_OF = {  # as in setup.py
    "isa_avx2": ["-mavx2", "-mfma"],
    "isa_avx512": ["-mavx512f", "-mavx512dq", "-mavx512vl", "-mavx2", "-mfma"],
}
FILES = ["isa_avx2.cc", "isa_avx512.cc", "isa_plain.cc", "dispatch.cc", "pool.cc", "shares.cc"]

pytestmark = [
    pytest.mark.sanitize,
    pytest.mark.skipif(not shutil.which(COMPILER[0]), reason=f"there is no {COMPILER[0]}"),
]


@pytest.mark.parametrize(
    ("sanitizer", "problems"), [("address,undefined", 200), ("thread", 60), ("", 1000)]
)
def test_random_shapes(sanitizer, problems, tmp_path):
    program = tmp_path / "fuzz"
    flags = ["-std=c++17", "-O1", "-g", "-pthread", f"-I{SOURCES}"]
    if sanitizer:
        flags += [f"-fsanitize={sanitizer}", "-fno-sanitize-recover=all"]
    objects = []
    for source in [Path(__file__).with_name("fuzz.cc"), *(SOURCES / name for name in FILES)]:
        objects.append(tmp_path / f"{source.stem}.o")
        isa = FLAGS_OF.get(source.stem, []) if platform.machine() == "x86_64" else []
        subprocess.run([*COMPILER, *flags, *isa, "-c", source, "-o", objects[-1]], check=True)
    subprocess.run([*COMPILER, *flags, *objects, "-o", program], check=True)
    done = subprocess.run([program, str(problems)], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert done.stdout.startswith(f"{problems} problems")

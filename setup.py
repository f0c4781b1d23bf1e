"""Compiles the native operations; everything else is in pyproject.toml.

The library has no Python in it, and TensorFlow is not needed to compile it. Where there is no C++
compiler, or it fails, the package is installed without the library, and training takes its other
path. SEQCLF_NATIVE=0 does not try; SEQCLF_NATIVE=1 takes a failure as one.
"""

import os
import platform
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

SOURCES = Path("seqclf/layers/native/src")
WANTED = os.environ.get("SEQCLF_NATIVE", "auto")
FLAGS = ["-std=c++17", "-O2", "-fPIC", "-fvisibility=hidden"]
# Every other file must run on every machine of the platform.
FLAGS_OF = {
    "isa_avx2": ["-mavx2", "-mfma"],
    "isa_avx512": ["-mavx512f", "-mavx512dq", "-mavx512vl", "-mavx2", "-mfma"],
}
X86 = platform.machine() in ("x86_64", "AMD64")
# The C++ library goes in, and exports.map hides it: ours runs where another one is installed.
LINK = ["-shared", "-pthread", "-s", "-static-libstdc++", "-static-libgcc"]
LINK += [f"-Wl,--version-script={SOURCES / 'exports.map'}"]


class BuildNative(build_ext):
    """Compiles the files side by side: those with one instruction set each take longest."""

    def build_extension(self, extension):
        output = Path(self.get_ext_fullpath(extension.name))
        try:
            self.compile(output, [Path(source) for source in extension.sources])
        except (OSError, subprocess.CalledProcessError) as error:
            if WANTED == "1":
                raise
            for old in (output, SOURCES.parent / output.name):  # made of other sources
                old.unlink(missing_ok=True)
            print(f"seqclf is installed without its native operations: {error}", file=sys.stderr)

    def compile(self, output, sources):
        compiler = os.environ.get("CXX", "g++").split()
        objects = Path(self.build_temp)
        objects.mkdir(parents=True, exist_ok=True)
        output.parent.mkdir(parents=True, exist_ok=True)

        def one(source):
            target = objects / f"{source.stem}.o"
            flags = [*FLAGS, *(FLAGS_OF.get(source.stem, []) if X86 else [])]
            subprocess.run([*compiler, *flags, "-c", str(source), "-o", str(target)], check=True)
            return str(target)

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            compiled = list(pool.map(one, sources))
        unfinished = output.with_suffix(".part")
        subprocess.run([*compiler, *compiled, *LINK, "-o", str(unfinished)], check=True)
        unfinished.replace(output)

    def get_ext_filename(self, name):
        return f"{name.replace('.', '/')}.so"  # it is no module of Python's


class PlatformWheel(bdist_wheel):
    """Names the wheel for the platform, but for every Python: the library knows nothing of it."""

    def get_tag(self):
        _, _, platform = super().get_tag()
        return "py3", "none", platform


# Those with the most flags take longest, so they come first.
sources = sorted(SOURCES.glob("*.cc"), key=lambda path: -len(FLAGS_OF.get(path.stem, [])))
native = Extension(
    "seqclf.layers.native._gru", [str(source) for source in sources], optional=WANTED != "1"
)
setup(
    ext_modules=[] if WANTED == "0" else [native],
    cmdclass={"build_ext": BuildNative, "bdist_wheel": PlatformWheel},
)

"""The distributions seqclf and seqclf-client: what is in them, and that the client works alone."""

import email
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import fake_serving
import pytest
import urllib3
from running import ROOT

LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.so", "build", "dist", "*.egg-info")
VERSION = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)[1]
BUILD = """
import sys
from setuptools import build_meta
out = sys.argv[1]
print(build_meta.build_sdist(out), build_meta.build_wheel(out))
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of the files that the distributions are made of."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / name)
    for name in ("seqclf", "configs", "clients"):
        shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=LEFT_OUT)
    return folder


def built(source, out):
    """Builds both distributions of a source folder; returns the paths of sdist and wheel."""
    out.mkdir(parents=True)
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(out)],
        cwd=source,
        env={**os.environ, "SEQCLF_NATIVE": "0"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [out / name for name in done.stdout.splitlines()[-1].split()]


def files(wheel):
    """Returns the names of the files in a wheel but for its metadata, and its METADATA."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        content = email.message_from_string(archive.read(metadata).decode())
    assert len(names) == len(set(names))
    return {name for name in names if ".dist-info/" not in name}, content


def modules(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*.py")}


# The client


@pytest.fixture(scope="module")
def client(checkout):
    return built(checkout / "clients/python", checkout / "out/client")


def test_the_client_s_wheel(client):
    sdist, wheel = client
    assert sdist.name == f"seqclf_client-{VERSION}.tar.gz"
    assert wheel.name == f"seqclf_client-{VERSION}-py3-none-any.whl"
    assert wheel.stat().st_size < 100_000
    found, metadata = files(wheel)
    wanted = modules(ROOT / "seqclf/client") | {"py.typed"}
    assert found == {f"seqclf_client/{name}" for name in wanted}
    assert metadata["Version"] == VERSION and metadata["License-Expression"] == "Apache-2.0"
    assert metadata.get_all("Requires-Dist") == ["urllib3>=2.2"]
    assert "seqclf_client.connect(" in metadata.get_payload()


def test_the_client_s_source_distribution_builds_the_same_wheel(client, tmp_path):
    with tarfile.open(client[0]) as archive:
        assert all(entry.isfile() or entry.isdir() for entry in archive)  # no links
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    (tmp_path / "pyproject.toml").write_text('name = "seqclf"\nversion = "9"\n')  # not its own
    wheel = built(source, tmp_path / "out")[1]
    assert wheel.name == client[1].name
    assert wheel.read_bytes() != b"" and files(wheel)[0] == files(client[1])[0]


PROGRAM = """
import sys
sys.path[:0] = sys.argv[2:]
import seqclf_client
with seqclf_client.connect(sys.argv[1]) as client:
    answer = client.predict({"x": [[3, 1, 2], [0.5, -1, 4]], "n": [7, 255]})
    print(answer["sum"], answer["order"], answer["name"])
    print(client.predict({"image_bytes": [b"ab"]}, "serving_bytes")["echo_bytes"])
    print(client.classify([{"mean": 0.25}]), client.status()[0].state)
    try:
        client.predict({"x": [[3, 1]], "n": [256]})
    except seqclf_client.InvalidRequest as error:
        print(error)
print(seqclf_client.__file__.startswith(sys.argv[2]))
print({"numpy", "tensorflow", "keras", "grpc", "seqclf"} & set(sys.modules))
"""


def test_the_wheel_needs_nothing_but_urllib3(client, tmp_path):
    with zipfile.ZipFile(client[1]) as archive:
        archive.extractall(tmp_path / "wheel")
    (tmp_path / "needed").mkdir()
    (tmp_path / "needed/urllib3").symlink_to(Path(urllib3.__file__).parent)
    server = fake_serving.FakeServing()
    try:
        # Without this environment's packages: -I and -S leave the standard library.
        done = subprocess.run(
            [
                *(sys.executable, "-I", "-S", "-c", PROGRAM, server.rest_url),
                *(str(tmp_path / "wheel"), str(tmp_path / "needed")),
            ],
            capture_output=True,
            text=True,
        )
    finally:
        server.close()
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "[6.0, 3.5] [[1, 2, 0], [1, 0, 2]] ['Größe 7', 'Größe 255']",
        "[b'ba']",
        "[[('mean:float_list:1', 0.25)]] AVAILABLE",
        f"{server.rest_url}: `n` must lie in 0..255. Received: 256..256. The client's metadata() "
        "lists what the model takes.",
        "True",
        "set()",
    ]


# seqclf


@pytest.fixture(scope="module")
def package(checkout):
    return built(checkout, checkout / "out/seqclf")


def test_seqclf_s_wheel(package):
    found, metadata = files(package[1])
    data = {"seqclf/py.typed", "seqclf/client/py.typed", "seqclf/data/text/timemachine.txt.gz"}
    recipes = {f"seqclf/recipes/{name}" for name in modules(ROOT / "configs")}
    code = {f"seqclf/{name}" for name in modules(ROOT / "seqclf")}
    assert found == code | recipes | data
    assert metadata["Version"] == VERSION
    with zipfile.ZipFile(package[1]) as archive:
        (points,) = (n for n in archive.namelist() if n.endswith("entry_points.txt"))
        assert "seqclf = seqclf.__main__:main" in archive.read(points).decode()


def test_seqclf_s_source_distribution_has_what_its_wheel_is_made_of(package):
    with tarfile.open(package[0]) as archive:
        names = {entry.name.partition("/")[2] for entry in archive if entry.isfile()}
        assert all(entry.isfile() or entry.isdir() for entry in archive)
    sources = {f"seqclf/layers/native/src/{p.name}" for p in (ROOT / "seqclf").rglob("src/*")}
    assert files(package[1])[0] | sources <= names
    assert {"setup.py", "pyproject.toml", "README.md", "LICENSE"} <= names


def test_an_installed_seqclf_knows_its_version(package, tmp_path):
    with zipfile.ZipFile(package[1]) as archive:
        archive.extractall(tmp_path)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "other"\nversion = "9"\n')
    code = "import sys; sys.path.insert(0, sys.argv[1]); import seqclf; print(seqclf.__version__)"
    run = [sys.executable, "-I", "-S", "-c", code, str(tmp_path)]
    assert subprocess.check_output(run, text=True).strip() == VERSION

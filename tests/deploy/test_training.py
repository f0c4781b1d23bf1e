"""How a training on several machines is started: Kubernetes and plain ssh."""

import json
import os
import subprocess
import sys
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from seqclf.training.distribution.cluster import Cluster, cluster_of_environment

TRAINING = Path(__file__).parents[2] / "deploy" / "training"
ADDRESSES = "127.0.0.1:2222,127.0.0.1:2223"
TELL = [sys.executable, "-c", "import os; print(os.environ['TF_CONFIG'])"]


@pytest.fixture(scope="module")
def objects():
    documents = list(yaml.safe_load_all((TRAINING / "job.yaml").read_text()))
    for document in documents:
        kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)
    return {document["kind"]: document for document in documents}


def test_the_workers_find_each_other(objects, monkeypatch):
    job, service = objects["Job"], objects["Service"]
    pod = job["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    environment = {entry["name"]: entry.get("value") for entry in container["env"]}
    port = container["ports"][0]["containerPort"]
    # The name of an indexed Job's pod is JOB-INDEX, below the subdomain that is the Service's name.
    assert job["spec"]["completionMode"] == "Indexed"
    assert pod["spec"]["subdomain"] == service["metadata"]["name"]
    assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    assert service["spec"]["clusterIP"] == "None" and service["spec"]["publishNotReadyAddresses"]
    workers = job["spec"]["completions"]
    assert job["spec"]["parallelism"] == workers  # all at once, or they wait for ever
    name, domain = job["metadata"]["name"], pod["spec"]["subdomain"]
    expected = [f"{name}-{i}.{domain}:{port}" for i in range(workers)]
    assert environment["ADDRESSES"].split(",") == expected

    script, *arguments = container["command"][1:]
    assert script == "/etc/seqclf/worker.sh"
    known = {"$(JOB_COMPLETION_INDEX)": "1", "$(ADDRESSES)": environment["ADDRESSES"]}
    told = run(["bash", TRAINING / "worker.sh", *[known[a] for a in arguments], *TELL])
    monkeypatch.setenv("TF_CONFIG", told.stdout)
    assert cluster_of_environment() == Cluster(tuple(expected), 1)


def test_the_manifest_gives_flags_that_there_are(objects):
    (container,) = objects["Job"]["spec"]["template"]["spec"]["containers"]
    python, m, module, *flags = container["args"]
    assert (python, m, module) == ("python", "-m", "seqclf.train")
    from seqclf.config import SCHEMA

    for flag in flags:
        name = flag.removeprefix("--").partition("=")[0]
        assert name in ("config", "workdir") or name.removeprefix("config.") in SCHEMA, flag


def test_kustomization_has_what_the_job_mounts(objects):
    kustomization = yaml.safe_load((TRAINING / "kustomization.yaml").read_text())
    assert kustomization["resources"] == ["job.yaml"]
    (config_map,) = kustomization["configMapGenerator"]
    assert config_map["files"] == ["worker.sh"]
    spec = objects["Job"]["spec"]["template"]["spec"]
    assert {"name": config_map["name"]} in [volume.get("configMap") for volume in spec["volumes"]]
    assert kustomization["images"][0]["name"] == spec["containers"][0]["image"]


def run(command, **more):
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=60, **more
    )


@pytest.mark.parametrize("arguments", [[], ["0", ADDRESSES], ["x", ADDRESSES, "true"]])
def test_worker_says_how_it_is_called(arguments):
    done = run(["bash", TRAINING / "worker.sh", *arguments])
    assert done.returncode == 2 and "usage: worker.sh INDEX" in done.stderr


@pytest.fixture
def ssh(tmp_path):
    """An `ssh` that runs the command here, as the remote shell would."""
    fake = tmp_path / "bin" / "ssh"
    fake.parent.mkdir()
    fake.write_text('#!/usr/bin/env bash\necho "host ${@: -2:1}"\nexec bash -c "${@: -1}"\n')
    fake.chmod(0o755)
    return os.environ | {"PATH": f"{fake.parent}:{os.environ['PATH']}"}


def started(ssh, *command):
    return run(["bash", TRAINING / "ssh.sh", ADDRESSES, *command], env=ssh, cwd=TRAINING.parents[1])


def test_ssh_starts_each_worker_with_its_place(ssh):
    done = started(ssh, *TELL, "a b", "$HOME;")  # what a shell would take apart arrives whole
    assert done.returncode == 0, done.stderr
    lines = sorted(line for line in done.stdout.splitlines() if "{" in line)
    for index, line in enumerate(lines):
        assert line.startswith(f"[{index}] ")
        told = json.loads(line.partition(" ")[2])
        assert told["task"] == {"type": "worker", "index": index}
        assert told["cluster"]["worker"] == ADDRESSES.split(",")
    assert len(lines) == 2 and "[1] host 127.0.0.1" in done.stdout


def test_ssh_ends_with_the_status_of_the_one_that_failed(ssh):
    fails = (
        'import json, os, sys; sys.exit(3 * json.loads(os.environ["TF_CONFIG"])["task"]["index"])'
    )
    assert started(ssh, sys.executable, "-c", fails).returncode == 3


def test_ssh_passes_a_signal_on(ssh, tmp_path):
    waits = (
        "import os, signal, sys, time\n"  # a print could come in the middle of the other one
        "signal.signal(signal.SIGTERM, lambda *_: (os.write(1, b'saved\\n'), sys.exit(143)))\n"
        "print('ready', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen(
        ["bash", str(TRAINING / "ssh.sh"), ADDRESSES, sys.executable, "-c", waits],
        env=ssh,
        cwd=TRAINING.parents[1],
        stdout=subprocess.PIPE,
        text=True,
    )
    seen = []
    while sum("ready" in line for line in seen) < 2:
        seen.append(process.stdout.readline())
        assert seen[-1], seen
    process.terminate()
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 143 and output.count("saved") == 2

"""What stands in deploy/, Dockerfile and docs/serving.md is valid, and of one mind.

No container is started here: files are checked against schemas, against each other and against
the flags that the server has.
"""

import http.server
import importlib.util
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import threading
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from seqclf.serving import batching
from seqclf.serving.labels import recorded_labels

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
IMAGE = "tensorflow/serving:2.20.0"
MODEL, BASE_PATH, GRPC, REST = "seqclf", "/models/seqclf", 8500, 8501

# Flags in tensorflow_serving/model_servers/main.cc that may be used here.
KNOWN_FLAGS = {
    "port", "rest_api_port", "rest_api_num_threads", "rest_api_timeout_in_ms", "grpc_max_threads",
    "grpc_channel_arguments", "ssl_config_file", "model_name", "model_base_path",
    "model_config_file", "model_config_file_poll_wait_seconds", "file_system_poll_wait_seconds",
    "allow_version_labels_for_unavailable_models", "enable_batching", "batching_parameters_file",
    "enable_per_model_batching_parameters", "enable_model_warmup", "monitoring_config_file",
    "num_load_threads", "num_unload_threads", "max_num_load_retries", "load_retry_interval_micros",
    "tensorflow_session_parallelism", "tensorflow_intra_op_parallelism",
    "tensorflow_inter_op_parallelism", "enable_grpc_healthcheck_service",
    "enable_signature_method_name_check", "xla_cpu_compilation_enabled",
}  # fmt: skip

# Fields of BatchingParameters in servables/tensorflow/session_bundle_config.proto.
POOL_FIELDS = {"thread_pool_name", "num_batch_threads"}
MODEL_FIELDS = {
    "max_batch_size", "batch_timeout_micros", "max_enqueued_batches", "allowed_batch_sizes",
}  # fmt: skip

bash = pytest.mark.skipif(not shutil.which("bash"), reason="no bash")


def load(path):
    return yaml.safe_load((ROOT / path).read_text())


def text_proto(text):
    """Parses a protobuf text message strictly: `name: value` and `name { ... }`, # comments.

    Returns:
        name → list of values (str, int, bool, or the same again).
    """
    text = re.sub(r"#.*", "", text)
    tokens = re.findall(r'"[^"\n]*"|\w+|[{}:]|\S', text)
    message, at = _fields(tokens, 0)
    assert at == len(tokens), f"unexpected {tokens[at]}"
    return message


def _fields(tokens, at):
    message = {}
    while at < len(tokens) and tokens[at] != "}":
        name, sign = tokens[at], tokens[at + 1]
        assert re.fullmatch(r"[a-z_]+", name), name
        if sign == "{":
            value, at = _fields(tokens, at + 2)
            assert tokens[at] == "}"
            at += 1
        else:
            assert sign == ":", sign
            value, at = json.loads(tokens[at + 2]), at + 3
        message.setdefault(name, []).append(value)
    return message, at


def flags_of(words):
    """Returns the server's flags in a command line; each must be known and stand there once."""
    pairs = [re.fullmatch(r"--(\w+)=(.+)", word).groups() for word in words]
    assert {name for name, _ in pairs} <= KNOWN_FLAGS
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def stages():
    """Returns the stages of Dockerfile: (its FROM line, its instructions), comments removed."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    head, *rest = re.split(r"^(?=FROM )", text.replace("\\\n", " "), flags=re.MULTILINE)
    return head, [part.split("\n", 1) for part in rest]


def instruction(body, name):
    return [line.split(None, 1)[1] for line in body.splitlines() if line.startswith(f"{name} ")]


def image_flags():
    """Returns the flags in the serving image's entry point."""
    body = next(body for line, body in stages()[1] if line.endswith(" AS serving"))
    program, *words = json.loads(instruction(body, "ENTRYPOINT")[0])
    assert program == "tensorflow_model_server"
    return flags_of(words)


def compose_service():
    return load("deploy/compose.yaml")["services"]["serving"]


def deployment():
    return load("deploy/kubernetes/deployment.yaml")


# Configurations


def test_model_configs_parse_and_are_what_labels_py_writes(labels_py):
    text_format = pytest.importorskip("google.protobuf.text_format")
    from tensorflow_serving.config import model_server_config_pb2

    expected = {"models.config": {"stable": 1}, "models.canary.config": {"stable": 1, "canary": 2}}
    for name, labels in expected.items():
        text = (DEPLOY / name).read_text()
        assert text == labels_py.render(labels), f"write {name} with deploy/labels.py"
        message = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
        (config,) = message.model_config_list.config
        assert (config.name, config.base_path) == (MODEL, BASE_PATH)
        assert config.model_platform == "tensorflow"
        assert config.model_version_policy.WhichOneof("policy_choice") == "all"
        assert dict(config.version_labels) == labels


def test_the_server_and_the_model_share_out_the_batching_parameters():
    server = text_proto((DEPLOY / "batching.config").read_text())
    model = text_proto(batching.batching_params())
    assert set(server) == POOL_FIELDS
    assert set(model) == MODEL_FIELDS
    assert model["allowed_batch_sizes"] == list(batching.BATCH_SIZES)
    assert model["max_batch_size"] == [{"value": [batching.BATCH_SIZES[-1]]}]
    assert "pad_variable_length_inputs" not in model  # it would hide wrong shapes
    varying = text_proto(batching.batching_params(variable_length=True))
    assert varying == model | {"pad_variable_length_inputs": [True]}
    assert list(batching.BATCH_SIZES) == sorted(set(batching.BATCH_SIZES))


def test_text_proto_is_strict():
    assert text_proto('a { b: 1 b: 2 } # c\nd: "x"') == {"a": [{"b": [1, 2]}], "d": ["x"]}
    for text in ("a { b: 1", "a: 1 }", "a 1", "a: x", "A: 1"):
        with pytest.raises((AssertionError, ValueError, IndexError)):
            text_proto(text)


def test_prometheus_reads_what_the_server_offers():
    config = text_proto((DEPLOY / "monitoring.config").read_text())["prometheus_config"][0]
    assert config["enable"] == [True]
    (job,) = load("deploy/prometheus.yml")["scrape_configs"]
    assert job["metrics_path"] == config["path"][0]
    assert job["static_configs"] == [{"targets": [f"serving:{REST}"]}]
    annotations = deployment()["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/path"] == config["path"][0]
    assert annotations["prometheus.io/port"] == str(REST)
    assert all((DEPLOY / name).is_file() for name in load("deploy/prometheus.yml")["rule_files"])


def test_alerts_ask_for_metrics_that_the_docs_explain():
    (job,) = load("deploy/prometheus.yml")["scrape_configs"]
    docs = (ROOT / "docs/serving.md").read_text()
    (group,) = load("deploy/alerts.yml")["groups"]
    for rule in group["rules"]:
        assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
        assert rule["expr"].count("(") == rule["expr"].count(")")
        for name in re.findall(r":[\w:]+", rule["expr"]):
            assert f"`{name.removesuffix('_bucket')}{{" in docs
        assert f'job="{job["job_name"]}"' in rule["expr"] or f'"{MODEL}"' in rule["expr"]


# Compose


def test_compose_gives_flags_that_the_server_has():
    service = compose_service()
    assert service["image"] == IMAGE
    assert service["entrypoint"] == ["tensorflow_model_server"]
    flags = flags_of(service["command"])
    image = image_flags()
    assert image.pop("model_name") == MODEL
    assert image.pop("model_base_path") == BASE_PATH
    own = {name: flags.pop(name) for name in list(flags) if name not in image}
    assert own == {
        "model_config_file": "/etc/seqclf/models.config",
        "model_config_file_poll_wait_seconds": "5",
        "allow_version_labels_for_unavailable_models": "true",
    }
    assert flags == image  # Compose and the image serve alike
    assert (flags["port"], flags["rest_api_port"]) == (str(GRPC), str(REST))


def test_compose_mounts_folders_that_have_the_files():
    mounts = {mount["target"]: mount for mount in compose_service()["volumes"]}
    assert all(mount["read_only"] for mount in mounts.values())
    assert mounts[BASE_PATH]["source"] == "${MODEL_DIR:-../models/seqclf}"
    assert mounts["/etc/seqclf"]["source"] == "."  # a folder, so that it follows a rename
    named = [*compose_service()["command"], *compose_service()["healthcheck"]["test"]]
    files = re.findall(r"/etc/seqclf/(\S+)", " ".join(named))
    assert set(files) == {
        "models.config", "batching.config", "monitoring.config", "healthcheck.sh",
    }  # fmt: skip
    assert all((DEPLOY / name).is_file() for name in files)


def test_compose_is_closed_by_default():
    for name, service in load("deploy/compose.yaml")["services"].items():
        assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+\.\d+", service["image"]), name
        assert service["read_only"] and service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert all("127.0.0.1" in port for port in service["ports"]), name
        assert service["restart"] == "unless-stopped", name
    assert compose_service()["user"] == "1000:1000"
    assert compose_service()["init"] is True


# The image


def test_docker_builds_the_training_image_by_default():
    head, parts = stages()
    assert head.strip().startswith("ARG BASE=")  # seen by FROM only ahead of the first one
    lines = [line for line, _ in parts]
    assert lines == [f"FROM {IMAGE} AS serving", "FROM ${COMPILER} AS wheel", "FROM ${BASE}"]
    assert "seqclf.train" in parts[-1][1]
    bases = dict(line.split()[1].split("=") for line in head.splitlines() if line.strip())
    assert bases["BASE"].replace("-slim", "") == bases["COMPILER"]  # the same libraries


def test_the_wheel_of_the_image_is_built_of_what_it_needs():
    body = stages()[1][1][1]
    copied = " ".join(instruction(body, "COPY")).split()
    needed = {"setup.py", "MANIFEST.in", "pyproject.toml", "seqclf/", "configs/", "page/"}
    assert needed <= set(copied)
    assert any("SEQCLF_NATIVE=1" in line for line in instruction(body, "RUN"))
    allowed = (ROOT / ".dockerignore").read_text().splitlines()
    assert {"!setup.py", "!MANIFEST.in"} <= set(allowed)


def test_the_image_holds_what_its_flags_name():
    body = stages()[1][0][1]
    assert instruction(body, "COPY")[-1] == f"${{MODEL}} {BASE_PATH}"
    assert instruction(body, "ARG")[0].split("=")[0] == "MODEL"
    assert instruction(body, "USER") == ["1000"]
    assert instruction(body, "CMD")[-1] == "[]"
    *sources, target = instruction(body, "COPY")[0].split()
    copied = {target + Path(source).name for source in sources}
    assert all((ROOT / source).is_file() for source in sources)
    check = instruction(body, "HEALTHCHECK")[0]
    named = [value for value in image_flags().values() if value.startswith("/etc/")]
    assert {*named, re.search(r"/etc/[\w/.]+", check)[0]} == copied


@pytest.mark.parametrize(
    ("path", "let_through"),
    [
        ("deploy/healthcheck.sh", True),
        ("deploy/batching.config", True),
        ("deploy/monitoring.config", True),
        ("models/seqclf/1/saved_model.pb", True),
        ("models/seqclf/1/assets.extra/seqclf.json", True),
        ("runs/mine/export/1/variables/variables.index", True),
        ("models/seqclf/.tmp-x/saved_model.pb", False),
        ("seqclf/train.py", True),
        ("page/index.html", True),
        ("seqclf/__pycache__/train.pyc", False),
        (".git/config", False),
        ("tests/conftest.py", False),
    ],
)
def test_dockerignore(path, let_through):
    ignored = False
    for line in (ROOT / ".dockerignore").read_text().split():  # the last one that fits decides
        pattern = re.escape(line.removeprefix("!")).replace(r"\*\*/", "(.*/)?")
        pattern = pattern.replace(r"\*\*", ".*").replace(r"\*", "[^/]*")
        parents = [path, *map(str, Path(path).parents)]
        if any(re.fullmatch(pattern, parent) for parent in parents):
            ignored = not line.startswith("!")
    assert ignored is not let_through


# Kubernetes


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_manifests_are_valid(path):
    version = kubernetes_validate.latest_version()
    for document in yaml.safe_load_all(path.read_text()):
        kubernetes_validate.validate(document, version, strict=True)


def test_manifests_fit_together():
    objects = {path.stem: yaml.safe_load(path.read_text()) for path in MANIFESTS}
    assert set(objects) == {"deployment", "service", "hpa", "pdb"}
    template = objects["deployment"]["spec"]["template"]
    labels = template["metadata"]["labels"]
    assert objects["deployment"]["spec"]["selector"] == {"matchLabels": labels}
    assert objects["pdb"]["spec"]["selector"] == {"matchLabels": labels}
    assert objects["service"]["spec"]["selector"] == labels
    (container,) = template["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"grpc": GRPC, "rest": REST}
    assert {p["targetPort"]: p["port"] for p in objects["service"]["spec"]["ports"]} == ports
    target = objects["hpa"]["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == ("Deployment", MODEL)
    assert "replicas" not in objects["deployment"]["spec"]  # or each apply would undo the scaling


def test_kustomization_is_made_of_the_files_that_are_there():
    kustomization = load("deploy/kustomization.yaml")
    listed = {(DEPLOY / name).resolve() for name in kustomization["resources"]}
    assert listed == {path.resolve() for path in MANIFESTS}
    (container,) = deployment()["spec"]["template"]["spec"]["containers"]
    (image,) = kustomization["images"]
    assert image["name"] == container["image"]
    (config_map,) = kustomization["configMapGenerator"]
    volumes = deployment()["spec"]["template"]["spec"]["volumes"]
    assert {"name": config_map["name"]} in [volume.get("configMap") for volume in volumes]
    # It lies over what the image has in that folder, so it must have the same files.
    copied = instruction(stages()[1][0][1], "COPY")[0].split()[:-1]
    assert {f"deploy/{name}" for name in config_map["files"]} == set(copied)
    assert {"name": "config", "mountPath": "/etc/seqclf", "readOnly": True} in container[
        "volumeMounts"
    ]
    for probe in ("startupProbe", "readinessProbe"):
        assert container[probe]["exec"] == {"command": ["bash", "/etc/seqclf/healthcheck.sh"]}


def test_the_pools_are_as_large_as_the_cpu_limit():
    (container,) = deployment()["spec"]["template"]["spec"]["containers"]
    limit = int(container["resources"]["limits"]["cpu"])
    flags = flags_of(container["args"])
    assert not set(flags) & set(image_flags())  # given twice, the server takes one of them
    assert int(flags["tensorflow_intra_op_parallelism"]) == limit
    assert int(flags["tensorflow_inter_op_parallelism"]) == limit
    server = text_proto((DEPLOY / "batching.config").read_text())
    assert server["num_batch_threads"] == [{"value": [limit]}]


@pytest.mark.skipif(not shutil.which("kubectl"), reason="no kubectl")
def test_kustomize_builds():
    done = subprocess.run(
        ["kubectl", "kustomize", str(DEPLOY)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "KUBECONFIG": os.devnull},
    )
    if "unknown command" in done.stderr:
        pytest.skip("a kubectl without Kustomize")
    assert done.returncode == 0, done.stderr
    objects = {item["kind"]: item for item in yaml.safe_load_all(done.stdout)}
    config_map = objects["ConfigMap"]
    assert config_map["data"]["healthcheck.sh"] == (DEPLOY / "healthcheck.sh").read_text()
    spec = objects["Deployment"]["spec"]["template"]["spec"]
    assert spec["volumes"][0]["configMap"]["name"] == config_map["metadata"]["name"]
    assert spec["containers"][0]["image"] == "seqclf-serving:1"


# The health check


def status(*states, indent=1):
    versions = [
        {"version": str(i), "state": state, "status": {"error_code": "OK", "error_message": ""}}
        for i, state in enumerate(states, start=1)
    ]
    return json.dumps({"model_version_status": versions}, indent=indent)


def run_healthcheck(port, *arguments):
    command = ["bash", str(DEPLOY / "healthcheck.sh"), str(port), *arguments]
    return subprocess.run(command, timeout=20, capture_output=True)


@bash
@pytest.mark.parametrize(
    ("code", "body", "healthy"),
    [
        (200, status("AVAILABLE"), True),
        (200, status("AVAILABLE", indent=None), True),
        (200, status("END", "LOADING", "AVAILABLE"), True),
        (200, status("LOADING"), False),
        (200, status("START", "UNLOADING", "END"), False),
        (200, status(), False),
        (200, status("LOADING").replace('e": ""', 'e": "AVAILABLE"'), False),  # a message
        (404, '{ "error": "Could not find any versions of model AVAILABLE" }', False),
        (500, "", False),
    ],
)
def test_healthcheck_reads_the_state(code, body, healthy):
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        done = run_healthcheck(server.server_port)
        server.shutdown()
    assert (done.returncode == 0) is healthy
    assert (done.stdout, done.stderr) == (b"", b"")
    assert asked == [f"/v1/models/{MODEL}"]


@bash
def test_healthcheck_fails_where_nobody_answers():
    import socket

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        assert run_healthcheck(port).returncode == 1  # refused
        silent.listen()
        assert run_healthcheck(port).returncode == 1  # accepted, then silence


# labels.py


@pytest.fixture
def labels_py(monkeypatch):
    monkeypatch.delenv("MODEL_DIR", raising=False)
    spec = importlib.util.spec_from_file_location("deploy_labels", DEPLOY / "labels.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def folder(tmp_path):
    for version in ("1", "2", "10"):
        (tmp_path / "models" / version).mkdir(parents=True)
        (tmp_path / "models" / version / "saved_model.pb").touch()
    (tmp_path / "models/3").mkdir()  # half a version
    (tmp_path / "models/.tmp-4").mkdir()
    (tmp_path / "models/.tmp-4/saved_model.pb").touch()
    return tmp_path


def label(labels_py, folder, *arguments):
    return labels_py.main(
        [*arguments, f"--model_dir={folder}/models", f"--config={folder}/models.config"]
    )


def test_labels_are_written_promoted_and_rolled_back(labels_py, folder, capsys):
    config = folder / "models.config"
    for arguments, labels in [
        (["--stable=1"], {"stable": 1}),
        (["--stable=1", "--canary=10"], {"stable": 1, "canary": 10}),
        (["--stable=10"], {"stable": 10}),
        (["--stable=1"], {"stable": 1}),
    ]:
        assert label(labels_py, folder, *arguments) == 0
        (entry,) = text_proto(config.read_text())["model_config_list"][0]["config"]
        written = {item["key"][0]: item["value"][0] for item in entry["version_labels"]}
        assert written == labels
        assert stat.S_IMODE(config.stat().st_mode) == 0o644  # the server is another user
        assert "stable is version" in capsys.readouterr().out
    assert [path.name for path in folder.iterdir() if path.is_file()] == ["models.config"]


def test_labels_are_recorded_for_exports(labels_py, folder):
    models = folder / "models"
    label(labels_py, folder, "--stable=1", "--canary=10")
    first = str((folder / "models.config").resolve())
    assert json.loads((models / ".labels.json").read_text()) == {first: {"stable": 1, "canary": 10}}
    labels_py.main(["--stable=2", f"--model_dir={models}", f"--config={folder}/other.config"])
    assert set(recorded_labels(models).values()) == {1, 2, 10}
    (models / ".labels.json").write_text("damaged")
    label(labels_py, folder, "--stable=10")
    assert recorded_labels(models) == {f"stable in {first}": 10}


@pytest.mark.parametrize("arguments", [["--stable=3"], ["--stable=1", "--canary=4"]])
def test_labels_refuse_a_version_that_is_not_there(labels_py, folder, capsys, arguments):
    assert label(labels_py, folder, "--stable=2") == 0
    before = (folder / "models.config").read_text()
    assert label(labels_py, folder, *arguments) == 1
    assert (folder / "models.config").read_text() == before
    error = capsys.readouterr().err
    assert arguments[-1] in error and "it has [1, 2, 10]" in error


def test_labels_refuse_a_folder_that_is_not_there(labels_py, tmp_path, capsys):
    assert label(labels_py, tmp_path, "--stable=1") == 1
    assert "no such folder" in capsys.readouterr().err


def test_a_failed_rename_leaves_the_old_file(labels_py, folder, monkeypatch):
    assert label(labels_py, folder, "--stable=1") == 0
    before = (folder / "models.config").read_text()

    def fail(*arguments):
        raise OSError("disk full")

    monkeypatch.setattr(labels_py.os, "replace", fail)
    assert label(labels_py, folder, "--stable=2") == 1
    assert (folder / "models.config").read_text() == before
    assert [path.name for path in folder.iterdir() if path.is_file()] == ["models.config"]


def test_labels_run_without_the_package(folder):
    command = [sys.executable, "-I", "-S", str(DEPLOY / "labels.py"), "--stable=2"]
    done = subprocess.run(
        [*command, f"--config={folder}/models.config"],
        env={"MODEL_DIR": f"{folder}/models"},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    assert 'key: "stable" value: 2' in (folder / "models.config").read_text()


# docs/serving.md


@pytest.fixture(scope="module")
def docs():
    return (ROOT / "docs/serving.md").read_text()


def blocks(docs, language):
    return re.findall(rf"^```{language}\n(.*?)^```", docs, flags=re.MULTILINE | re.DOTALL)


def test_the_files_that_the_docs_name_exist(docs):
    names = set(re.findall(r"\b((?:deploy|seqclf/serving|tests|docs)/[\w./*-]*\w/?)", docs))
    assert len(names) > 10
    assert all(list(ROOT.glob(name)) for name in names), sorted(names)
    modules = set(re.findall(r"python -m seqclf\.(\w+)", docs))
    assert modules and all((ROOT / f"seqclf/{name}.py").is_file() for name in modules), modules
    for file in set(re.findall(r"`((?:\w+/)+\w+\.(?:cc|h|proto))`", docs)):
        assert file.split("/")[0] in {
            "model_servers", "servables", "sources", "util", "batching", "cc",
        }, file  # fmt: skip


def test_links_within_the_docs_lead_somewhere(docs):
    titles = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", docs, flags=re.M | re.S), re.M)
    anchors = {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}
    assert set(re.findall(r"\]\(#([^)]+)\)", docs)) <= anchors


def test_the_flags_that_the_docs_name_exist(docs):
    other = {
        "export_dir",
        "input_dtype",
        "grpc_port",
        "workdir",
        "max_body_mb",
        "num_versions",
        "target_precision",
        "target_recall",
    }  # flags of our own commands
    assert set(re.findall(r"--(\w+_\w+)", docs)) <= KNOWN_FLAGS | other


def test_the_numbers_in_the_docs_are_those_of_the_code(docs):
    rows = dict(re.findall(r"^\| \w+ \| `(\w+)` \| ([^|]+?) \|", docs, flags=re.MULTILINE))
    server = text_proto((DEPLOY / "batching.config").read_text())
    assert rows == {
        "max_batch_size": str(batching.MAX_BATCH_SIZE),
        "allowed_batch_sizes": f"1, 2, 4, … {batching.BATCH_SIZES[-1]}",
        "batch_timeout_micros": str(batching.BATCH_TIMEOUT_MICROS),
        "max_enqueued_batches": str(batching.MAX_ENQUEUED_BATCHES),
        "num_batch_threads": str(server["num_batch_threads"][0]["value"][0]),
    }
    assert f"at most {batching.MAX_BATCH_SIZE};" in docs
    assert f"{batching.MAX_ENQUEUED_BATCHES} batches are waiting" in docs


@bash
def test_the_requests_in_the_docs_are_json(docs, tmp_path):
    (tmp_path / "digit.png").write_bytes(b"\x89PNG not really" * 100)
    commands = "".join(blocks(docs, "sh")).replace("\\\n", " ").splitlines()
    makers = [line for line in commands if re.search(r"> \w+\.json$", line)]
    for line in makers:
        line = line.replace("python ", f"'{sys.executable}' ", 1)
        subprocess.run(["bash", "-ec", line], cwd=tmp_path, check=True, timeout=30)
    bodies = {path.name: json.loads(path.read_text()) for path in tmp_path.glob("*.json")}
    assert len(bodies) == len(makers) == 9
    assert all(f"@{name}" in docs for name in bodies)
    assert {"instances", "inputs", "examples"} == {
        key for body in bodies.values() for key in body if key != "signature_name"
    }
    for block in blocks(docs, "json"):
        assert len(json.loads(block)) == 1

"""Versions appear, disappear and fail to load while requests are sent."""

import shutil
import threading
import time

import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from seqclf.errors import ExportError
from seqclf.serving.publish import publish, staging
from seqclf.serving.server import versions as module
from seqclf.serving.server.fault import Fault
from seqclf.serving.server.run import ServerOptions, serve
from seqclf.serving.server.versions import Versions


@pytest.fixture
def said():
    return []


@pytest.fixture
def watch(tmp_path, said):
    """Makes a `Versions` that looks at the folder when it is told to."""

    def make(**options):
        versions = Versions("m", tmp_path, poll_seconds=0, log=said.append, **options)
        versions.start()
        return versions

    return make


def states(versions):
    return {number: status.state for number, status in versions.statuses("m").items()}


def junk(export_dir, number):
    folder = export_dir / str(number)
    folder.mkdir()
    (folder / "saved_model.pb").write_bytes(b"junk")
    return folder


def warmup(folder, *inputs, signature=""):
    """Writes warm-up requests into a version."""
    path = folder / "assets.extra" / "tf_serving_warmup_requests"
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for values in inputs:
            request = predict_pb2.PredictRequest()
            request.model_spec.signature_name = signature
            request.inputs["x"].CopyFrom(tf.make_tensor_proto(values))
            log = prediction_log_pb2.PredictionLog(predict_log={"request": request})
            writer.write(log.SerializeToString())


# What is taken for a version


def test_the_newest_is_served(watch, save_plus, tmp_path):
    for number in (2, 10, 9):
        save_plus(tmp_path, number)
    versions = watch()
    assert versions.get("m").version == 10
    assert states(versions) == {10: "AVAILABLE"}
    with pytest.raises(Fault, match="Specific") as error:
        versions.get("m", 9)
    assert error.value.status == 404


def test_several_at_a_time(watch, save_plus, tmp_path):
    for number in (1, 2, 3):
        save_plus(tmp_path, number)
    versions = watch(keep_loaded=2)
    assert list(states(versions)) == [3, 2]  # newest first
    assert versions.get("m", 2).version == 2
    save_plus(tmp_path, 4)
    versions.refresh()
    assert states(versions) == {4: "AVAILABLE", 3: "AVAILABLE", 2: "END"}


def test_what_is_ignored(watch, save_plus, tmp_path):
    save_plus(tmp_path, 1)
    for name in (".tmp-5", "notes", "-7", "1.5", "5a", "٣", "99999999999999999999"):
        shutil.copytree(tmp_path / "1", tmp_path / name)
    (tmp_path / ".last_version").write_text("5")
    (tmp_path / "README").write_text("5")
    versions = watch(keep_loaded=9)
    assert states(versions) == {1: "AVAILABLE"}


@pytest.mark.parametrize("name", ["0", "007", str(2**63 - 1)])
def test_names_of_versions(watch, save_plus, tmp_path, name):
    save_plus(tmp_path, name)
    assert watch().get("m").version == int(name)


def test_a_file_with_a_number_is_a_version_that_fails(watch, save_plus, tmp_path):
    """TensorFlow Serving looks only at the name, too."""
    save_plus(tmp_path, 1)
    versions = watch()
    (tmp_path / "2").write_text("a file")
    versions.refresh()
    assert states(versions) == {2: "END", 1: "AVAILABLE"}


# Versions that fail


def broken_junk(save_plus, tmp_path, number):
    junk(tmp_path, number)


def broken_empty(save_plus, tmp_path, number):
    (tmp_path / str(number)).mkdir()


def broken_variables(save_plus, tmp_path, number):
    shutil.rmtree(save_plus(tmp_path, number) / "variables")


def broken_warmup_type(save_plus, tmp_path, number):
    warmup(save_plus(tmp_path, number), [1.0], [b"text"])


def broken_warmup_signature(save_plus, tmp_path, number):
    warmup(save_plus(tmp_path, number), [1.0], signature="nope")


def broken_warmup_record(save_plus, tmp_path, number):
    folder = save_plus(tmp_path, number)
    warmup(folder, [1.0])
    path = folder / "assets.extra" / "tf_serving_warmup_requests"
    path.write_bytes(path.read_bytes()[:-3])


BROKEN = [
    broken_junk,
    broken_empty,
    broken_variables,
    broken_warmup_type,
    broken_warmup_signature,
    broken_warmup_record,
]


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_version_leaves_the_old_one(watch, save_plus, tmp_path, said, broken):
    save_plus(tmp_path, 1)
    versions = watch()
    broken(save_plus, tmp_path, 2)
    versions.refresh()
    assert versions.get("m").version == 1
    status = versions.statuses("m", 2)[2]
    assert status.state == "END" and status.error
    assert "version 2 cannot be loaded" in said[-1]
    save_plus(tmp_path, 3)
    versions.refresh()
    assert versions.get("m").version == 3
    assert states(versions) == {3: "AVAILABLE", 2: "END", 1: "END"}
    assert versions.statuses("m", 1)[1].error == ""


def test_a_good_warmup_is_run(watch, save_plus, tmp_path, said):
    warmup(save_plus(tmp_path, 1), [1.0], [2.0, 3.0])
    assert watch().get("m").version == 1
    assert "2 warm-up requests" in said[0]


def test_it_is_tried_again(watch, save_plus, tmp_path, said, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(module, "RETRY_SECONDS", 60.0)
    save_plus(tmp_path, 1)
    versions = watch()
    folder = junk(tmp_path, 2)
    for _ in range(5):
        versions.refresh()
    assert len(said) == 2  # not at every look
    now[0] += 61
    versions.refresh()
    assert len(said) == 3
    (folder / "saved_model.pb").unlink()
    folder.rmdir()
    save_plus(tmp_path, 2)
    now[0] += 61
    versions.refresh()
    assert versions.get("m").version == 2
    assert versions.statuses("m", 2)[2].error == ""


def test_not_for_ever(watch, save_plus, tmp_path, said, monkeypatch):
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.0)
    save_plus(tmp_path, 1)
    versions = watch()
    junk(tmp_path, 2)
    for _ in range(20):
        versions.refresh()
    assert len(said) - 1 == 1 + module.MAX_RETRIES
    assert states(versions) == {2: "END", 1: "AVAILABLE"}


@pytest.mark.parametrize(("seconds", "looks"), [(60.0, 1), (0.0, 20)])
def test_one_that_was_removed_and_comes_again_is_new(
    watch, save_plus, tmp_path, monkeypatch, seconds, looks
):
    monkeypatch.setattr(module, "RETRY_SECONDS", seconds)
    save_plus(tmp_path, 1)
    versions = watch()
    junk(tmp_path, 2)
    for _ in range(looks):
        versions.refresh()
    assert states(versions)[2] == "END"
    shutil.rmtree(tmp_path / "2")
    versions.refresh()
    assert versions.get("m").version == 1
    save_plus(tmp_path, 2)
    versions.refresh()  # at once, neither after the time to retry nor given up
    assert versions.get("m").version == 2


# Versions that go


def test_a_version_that_is_deleted(watch, save_plus, tmp_path, said):
    save_plus(tmp_path, 1)
    save_plus(tmp_path, 2)
    versions = watch()
    shutil.rmtree(tmp_path / "1")
    versions.refresh()
    assert versions.get("m").version == 2
    save_plus(tmp_path, 1)
    shutil.rmtree(tmp_path / "2")
    versions.refresh()
    assert versions.get("m").version == 1  # back to an older one
    assert said[-1] == "version 2 is no longer served"


@pytest.mark.parametrize("gone", ["versions", "folder"])
def test_nothing_is_let_go_before_there_is_something_else(watch, save_plus, tmp_path, gone):
    save_plus(tmp_path, 1)
    versions = watch()
    shutil.rmtree(tmp_path / "1" if gone == "versions" else tmp_path)
    versions.refresh()
    model = versions.get("m")
    assert model.run("serving_default", {"x": tf.constant([2.0]).numpy()})["y"].tolist() == [3.0]
    save_plus(tmp_path, 2)
    versions.refresh()
    assert versions.get("m").version == 2


# Labels


def test_labels(watch, save_plus, tmp_path):
    for number in (1, 2, 3):
        save_plus(tmp_path, number)
    versions = watch(labels={"stable": 1, "canary": 3, "soon": 4})
    assert states(versions) == {3: "AVAILABLE", 1: "AVAILABLE"}
    assert versions.get("m").version == 3
    assert versions.get("m", label="stable").version == 1
    assert versions.get("m", label="canary").version == 3
    with pytest.raises(Fault, match=r"Specific\(m, 4\)"):
        versions.get("m", label="soon")
    with pytest.raises(Fault, match="Unrecognized servable version label: nope") as error:
        versions.get("m", label="nope")
    assert error.value.status == 400
    save_plus(tmp_path, 4)
    versions.refresh()
    assert versions.get("m", label="soon").version == 4
    assert versions.get("m", label="stable").version == 1  # kept, however old
    assert states(versions) == dict.fromkeys((4, 3, 1), "AVAILABLE")


def test_a_label_does_not_stand_in_for_a_broken_version(watch, save_plus, tmp_path):
    for number in (1, 2):
        save_plus(tmp_path, number)
    versions = watch(labels={"stable": 1})
    junk(tmp_path, 3)
    versions.refresh()
    assert versions.get("m").version == 2


def test_labels_of_another_model(watch, save_plus, tmp_path):
    save_plus(tmp_path, 1)
    versions = watch(labels={"stable": 1})
    with pytest.raises(Fault, match="Unrecognized servable version label") as error:
        versions.get("other", label="stable")
    assert error.value.status == 400


# While requests flow


class Traffic:
    """Sends requests from threads of its own, and keeps their results."""

    def __init__(self, server, path="/v1/models/zoo:predict", threads=3):
        self.answers, self.failures = [], []
        self._server, self._path = server, path
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._send) for _ in range(threads)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error):
        self._end.set()
        for thread in self._threads:
            thread.join(30)

    def wait_for(self, value):
        """Waits until a prediction has this value, and ten more have come."""
        until(lambda: self.answers[-1:] == [value])
        count = len(self.answers) + 10
        until(lambda: len(self.answers) >= count)

    def _send(self):
        while not self._end.is_set():
            answer = self._server.ask("POST", self._path, {"instances": [2.0] * 4})
            if answer.status != 200:
                self.failures.append(answer.text)
                continue
            one, *rest = answer.json["predictions"]
            if any(value != one for value in rest):
                self.failures.append(answer.text)  # of two versions at a time
            self.answers.append(one)


@pytest.fixture(scope="module")
def server(serving, save_plus, tmp_path_factory):
    export_dir = tmp_path_factory.mktemp("live")
    save_plus(export_dir, 1, 1.0)
    running = serving(export_dir, poll_seconds=0.05, labels={"first": 1}, grpc_port=-1)
    running.export_dir = export_dir
    yield running
    running.close()


def until(true, seconds=20.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def live_states(server):
    entries = server.ask("GET", "/v1/models/zoo").json["model_version_status"]
    return {int(entry["version"]): entry["state"] for entry in entries}


def test_new_versions_are_taken_over_and_no_request_fails(server, save_plus):
    folder = server.export_dir
    first = Traffic(server, "/v1/models/zoo/labels/first:predict", 1)
    with Traffic(server) as traffic, first:
        traffic.wait_for(2.0)
        save_plus(folder, 2, 2.0)
        traffic.wait_for(3.0)
        save_plus(folder, 3, 3.0)
        traffic.wait_for(4.0)
        shutil.rmtree(folder / "2")
        junk(folder, 4)
        until(lambda: live_states(server).get(4) == "END")
        traffic.wait_for(4.0)
        document = server.ask("GET", "/v1/models/zoo/versions/4").json
        (entry,) = document["model_version_status"]
        assert entry["status"]["error_code"] != "OK" and entry["status"]["error_message"]
        with staging(folder) as hidden:  # as an export does it
            shutil.copytree(folder / "1", hidden, dirs_exist_ok=True)
            assert publish(hidden, folder).name == "5"
        traffic.wait_for(2.0)
    assert traffic.failures == first.failures == []
    assert set(traffic.answers) == {2.0, 3.0, 4.0}
    assert set(first.answers) == {2.0} and len(first.answers) > 20
    expected = {5: "AVAILABLE", 4: "END", 3: "END", 2: "END", 1: "AVAILABLE"}
    assert live_states(server) == expected


# Where it cannot begin


def test_nothing_to_serve(tmp_path):
    with pytest.raises(ExportError, match="No version in .* can be served"):
        serve(ServerOptions(tmp_path, port=0, grpc_port=-1))


def test_nothing_that_can_be_loaded(tmp_path):
    junk(tmp_path, 1)
    with pytest.raises(ExportError, match="can be served"):
        serve(ServerOptions(tmp_path, port=0, grpc_port=-1))


def test_a_port_that_is_taken(server):
    with pytest.raises(ExportError, match="--port"):
        serve(ServerOptions(server.export_dir, port=server.port, grpc_port=-1))

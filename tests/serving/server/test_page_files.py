"""The files of a web page beside the REST API."""

import http.client
import json
import re
from pathlib import Path
from urllib.parse import quote

import pytest

import seqclf.serve
from seqclf.errors import ExportError
from seqclf.serving.server.page_files import PageFiles

PAGE = Path(__file__).parents[3] / "page"
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
OUTSIDE = [
    *("/../pyproject.toml", "/..%2fpyproject.toml", "/%2e%2e/pyproject.toml", "/page/index.html"),
    *(
        "//index.html",
        "/./index.html",
        "/index.html/",
        "/index.html%00.js",
        "/..\\serve.py",
        "/.js",
    ),
    "/etc/passwd",
]


@pytest.fixture(scope="module")
def server(serving, save_plus, tmp_path_factory):
    export_dir = tmp_path_factory.mktemp("plus")
    save_plus(export_dir, 1)
    running = serving(export_dir, page=seqclf.serve.PAGE_FOLDER)
    yield running
    running.close()


def ask(server, method, path, **headers):
    """Sends a path as it is, with its dots; returns the response and its body."""
    connection = http.client.HTTPConnection(*server.address, timeout=30)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def without_model(content):
    return re.sub(rb'(<meta name="served-model" content=")[^"]*', rb"\1", content)


def test_each_file_of_the_page_is_sent(server):
    files = list(PAGE.iterdir())
    assert {file.suffix for file in files} == set(TYPES)
    for file in files:
        answer, body = ask(server, "GET", f"/{file.name}")
        assert answer.status == 200
        assert without_model(body) == file.read_bytes()
        kind = answer.headers["Content-Type"]
        assert kind == f"{TYPES[file.suffix]}; charset=utf-8"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert ask(server, "GET", "/")[1] == ask(server, "GET", "/index.html?model=x")[1]
    server.alive()


def test_the_index_names_the_model(server, serving, save_plus, tmp_path):
    assert b'content="/v1/models/zoo"' in ask(server, "GET", "/")[1]
    name = 'a b/"<'
    page = PageFiles(PAGE, name).respond("GET", "/", {})
    assert f'content="/v1/models/{quote(name, safe="")}"'.encode() in page.body


def test_nothing_else_is_sent(server):
    for path in OUTSIDE:
        answer, body = ask(server, "GET", path)
        assert (answer.status, *json.loads(body)) == (404, "error"), path


def test_links_and_other_files_in_the_folder_are_no_way_out(tmp_path):
    (tmp_path / "index.html").write_text((PAGE / "index.html").read_text())
    (tmp_path / "secret.txt").write_text("x")
    (tmp_path / "folder.js").mkdir()
    page = PageFiles(tmp_path, "seqclf")
    assert page.respond("GET", "/index.html", {}).status == 200
    for name in ("secret.txt", "folder.js"):
        assert page.respond("GET", f"/{name}", {}) is None


def test_files_are_read_only(server):
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        answer, body = ask(server, method, "/page.js")
        assert answer.status == 405
        assert answer.headers["Allow"] == "GET, HEAD"
        assert method in json.loads(body)["error"]
    whole, body = ask(server, "GET", "/page.js")
    head, nothing = ask(server, "HEAD", "/page.js")
    assert (head.status, nothing) == (200, b"")
    assert int(head.headers["Content-Length"]) == len(body)
    assert head.headers["ETag"] == whole.headers["ETag"]


def test_a_file_that_is_known_is_not_sent_again(server):
    answer, _ = ask(server, "GET", "/page.css")
    assert answer.headers["Cache-Control"] == "no-cache"
    etag = answer.headers["ETag"]
    for known in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        again, body = ask(server, "GET", "/page.css", **{"If-None-Match": known})
        assert (again.status, body, again.headers["ETag"]) == (304, b"", etag)
    other = ask(server, "GET", "/page.js")[0].headers["ETag"]
    assert other != etag
    assert ask(server, "GET", "/page.css", **{"If-None-Match": other})[0].status == 200


def test_the_policy_lets_nothing_in_from_elsewhere(server):
    answer, body = ask(server, "GET", "/")
    policy = answer.headers["Content-Security-Policy"].split("; ")
    directives = {name: sources for name, *sources in map(str.split, policy)}
    assert directives["default-src"] == ["'none'"]
    assert directives["script-src"] == directives["style-src"] == directives["connect-src"]
    assert directives["script-src"] == ["'self'"]
    assert directives["frame-ancestors"] == ["'none'"]
    # What the policy would block: scripts, styles and handlers in the page itself.
    assert not re.search(rb"<script(?! src=)|<style|\sstyle=|\son[a-z]+=", body)


def test_the_api_is_the_same(server):
    server.alive()
    assert server.ask("GET", f"/v1/models/{server.name}").json["model_version_status"]
    assert server.ask("GET", "/monitoring/prometheus/metrics").status == 200
    assert "Malformed request" in server.ask("GET", "/v1/page.js").error
    assert re.search(rf"^page +http://127.0.0.1:{server.port}/$", server.welcome(), re.M)


def test_without_a_page_the_root_is_not_found(serving, save_plus, tmp_path):
    save_plus(tmp_path, 1)
    running = serving(tmp_path)
    try:
        for path in ("/", "/index.html"):
            answer = running.ask("GET", path)
            assert answer.status == 404
            assert answer.error == f"Nothing is at {path}; the API is under /v1."
        assert "page" not in running.welcome()
    finally:
        running.close()


def test_a_folder_without_the_page_is_refused(tmp_path):
    with pytest.raises(ExportError, match=r"index\.html is missing\): install seqclf again"):
        PageFiles(tmp_path, "seqclf")
    with pytest.raises(ExportError, match="No such file"):
        PageFiles(tmp_path / "none", "seqclf")
    (tmp_path / "index.html").write_text("<!doctype html>")
    with pytest.raises(ExportError, match="served-model"):
        PageFiles(tmp_path, "seqclf")

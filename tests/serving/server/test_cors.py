"""Web pages of other origins may send requests only if the server allows it."""

import pytest


@pytest.mark.parametrize("cors", [True, False])
def test_cors(serving, save_plus, tmp_path, cors):
    save_plus(tmp_path, 1)
    server = serving(tmp_path, cors=cors)
    try:
        path = f"/v1/models/{server.name}:predict"
        preflight = server.ask("OPTIONS", path, Origin="http://elsewhere.example")
        assert preflight.status == 200  # without the headers a browser asks no further
        for answer in (preflight, server.predict({"instances": [2.0]}), server.predict("junk")):
            allowed = answer.headers.get("Access-Control-Allow-Origin")
            assert allowed == ("*" if cors else None)
        if cors:
            assert "Content-Type" in preflight.headers["Access-Control-Allow-Headers"]
            assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
        server.alive()
    finally:
        server.close()

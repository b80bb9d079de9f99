"""Models that use Flask: `flask.request` during a call, custom routes, and apps that wrap ours."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from conftest import LABEL_CONFIG, ClientOf, Predict

from label_studio_ml._internal import calls, flask_bridge
from label_studio_ml.model import LabelStudioMLBase

flask = pytest.importorskip("flask")


class Asking(LabelStudioMLBase):
    """Answers with what Flask knows of the request."""

    def predict(
        self, tasks: list[dict[str, Any]], context: dict[str, Any] | None = None, **kwargs: Any
    ) -> Any:
        request = flask.request
        return [
            [
                request.method,
                request.path,
                request.get_json()["project"],
                request.headers.get("X-Mine"),
                dict(request.args),
            ]
        ]


def test_the_request_is_flasks_request(client_of: ClientOf) -> None:
    response = client_of(Asking).post(
        "/predict?a=1", json={"project": "1.2"}, headers={"X-Mine": "x"}
    )
    assert response.json["results"] == [["POST", "/predict", "1.2", "x", {"a": "1"}]]
    assert not flask.has_request_context()


def test_a_request_that_came_without_wsgi_is_one_too() -> None:
    status, body = calls.handle(Asking, "POST", "/predict", b'{"project": "1.2"}')
    assert (status, body) == (200, b'{"results":[["POST","/predict","1.2",null,{}]]}')


def test_flask_may_be_imported_in_the_middle_of_a_call(tmp_path: Path) -> None:
    program = f"""
        import os, sys
        os.environ["MODEL_DIR"] = {str(tmp_path)!r}
        from label_studio_ml._internal import calls, flask_bridge
        from label_studio_ml.model import LabelStudioMLBase

        class Late(LabelStudioMLBase):
            def predict(self, tasks, context=None, **kwargs):
                from flask import has_request_context, request
                return [has_request_context() and request.get_json()["project"]]

        assert "flask" not in sys.modules
        for project in ("1", "2"):
            body = b'{{"project": "%s"}}' % project.encode()
            print(calls.handle(Late, "POST", "/predict", body)[1].decode())
        from flask import has_request_context
        print(has_request_context())
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines() == ['{"results":["1"]}', '{"results":["2"]}', "False"]


def test_custom_routes_need_the_password_too(client_of: ClientOf) -> None:
    client = client_of(LabelStudioMLBase, basic_auth_user="u", basic_auth_pass="p")

    @client.application.route("/mine/<name>", methods=["POST"])  # type: ignore[misc, untyped-decorator]
    def mine(name: str) -> Any:
        return {"name": name, "body": flask.request.get_json()}

    assert client.post("/mine/x", json=[1]).status_code == 401
    response = client.post("/mine/x", json=[1], auth=("u", "p"))
    assert response.json == {"name": "x", "body": [1]}
    assert client.get("/health", auth=("u", "p")).json["status"] == "UP"


def test_the_app_can_be_mounted_in_another(client_of: ClientOf, predict: Predict) -> None:
    from werkzeug.middleware.dispatcher import DispatcherMiddleware

    ours = client_of(LabelStudioMLBase).application
    outer = flask.Flask("outer")
    outer.wsgi_app = DispatcherMiddleware(ours.wsgi_app, {"/data": flask.Flask("data").wsgi_app})
    body = {"tasks": [{"data": {}}], "label_config": LABEL_CONFIG}
    with outer.test_client() as client:
        assert client.get("/health").get_json()["model_class"] == "LabelStudioMLBase"
        assert client.post("/predict", json=body).get_json() == {"results": []}


def test_views_of_the_package_answer_under_other_paths(client_of: ClientOf) -> None:
    from label_studio_ml import api

    client = client_of(Asking, basic_auth_user="u", basic_auth_pass="p")
    outer = flask.Flask("outer")
    outer.before_request(api.check_auth)
    outer.before_request(api.log_request_info)
    outer.after_request(api.log_response_info)
    for path, view in [
        ("/up", api.health),
        ("/numbers", api.metrics),
        ("/ask", api._predict),
        ("/ready", api._setup),
        ("/event", api.webhook),
    ]:
        outer.add_url_rule(path, view.__name__, view, methods=["GET", "POST"])
    assert outer.test_client().get("/up").status_code == 401
    with outer.test_client() as theirs:
        credentials = ("u", "p")
        assert (
            theirs.get("/up", auth=credentials).get_json()
            == client.get("/health", auth=credentials).json
        )
        assert theirs.get("/numbers", auth=credentials).get_json() == {}
        asked = theirs.post("/ask", json={"project": "1.2"}, auth=credentials).get_json()
        assert asked["results"][0][2] == "1.2"
        setup = theirs.post(
            "/ready", json={"project": "1.2", "schema": LABEL_CONFIG}, auth=credentials
        )
        assert setup.get_json() == {"model_version": "0.0.1"}
        assert theirs.post("/event", json={"action": "OTHER"}, auth=credentials).get_json() == {
            "status": "Unknown event"
        }


@pytest.fixture
def bare_flask(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has the next app come with its own Flask app."""
    monkeypatch.setattr(flask_bridge, "_app", None)
    monkeypatch.setattr(flask_bridge, "config", flask_bridge._Settings(flask_bridge.config))


def test_functions_around_requests_see_those_of_label_studio_too(
    bare_flask: None, client_of: ClientOf
) -> None:
    client = client_of(Asking)
    app = client.application

    @app.before_request  # type: ignore[misc, untyped-decorator]
    def stop() -> Any:
        flask.g.mine = flask.request.headers.get("X-Mine")
        if flask.g.mine == "stop":
            return {"stopped": flask.request.path}, 403
        return None

    @app.after_request  # type: ignore[misc, untyped-decorator]
    def mark(response: Any) -> Any:
        response.headers["X-After"] = flask.g.mine
        return response

    stopped = client.post("/predict", json={}, headers={"X-Mine": "stop"})
    assert (stopped.status_code, stopped.json) == (403, {"stopped": "/predict"})
    answered = client.post("/predict", json={"project": "1.2"}, headers={"X-Mine": "go"})
    assert answered.json["results"] == [["POST", "/predict", "1.2", "go", {}]]
    assert answered.headers["X-After"] == "go"
    refused = client.post("/predict", data="x", content_type="text/plain", headers={"X-Mine": "go"})
    assert (refused.status_code, refused.headers["X-After"]) == (415, "go")
    assert client.get("/nothing", headers={"X-Mine": "go"}).status_code == 404


def test_settings_are_those_of_the_flask_app(bare_flask: None, client_of: ClientOf) -> None:
    app = client_of(LabelStudioMLBase).application
    app.config["BEFORE"] = 1
    app.config.from_mapping(MAPPED=2)
    app.secret_key = "secret"

    @app.route("/settings")  # type: ignore[misc, untyped-decorator]
    def settings() -> Any:
        config = flask.current_app.config
        return {name: config[name] for name in ("BEFORE", "MAPPED", "SECRET_KEY", "AFTER")}

    app.config["AFTER"] = 3
    answer = app.test_client().get("/settings")
    assert answer.json == {"BEFORE": 1, "MAPPED": 2, "SECRET_KEY": "secret", "AFTER": 3}


def test_without_flask_the_app_keeps_what_is_put_into_it(tmp_path: Path) -> None:
    program = f"""
        import os, sys
        os.environ["MODEL_DIR"] = {str(tmp_path)!r}
        sys.modules["flask"] = None
        from label_studio_ml.api import _server
        _server.mine = 1
        _server.debug = True
        print(_server.mine, _server.config["DEBUG"], hasattr(_server, "route"))
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True
    )
    assert run.stdout.split() == ["1", "True", "False"], run.stderr

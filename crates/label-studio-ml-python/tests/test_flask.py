"""Models that know Flask: `flask.request` while they run, routes of their own, and other apps around ours."""

import subprocess
import sys
import textwrap

import pytest
from conftest import LABEL_CONFIG
from label_studio_ml import _calls
from label_studio_ml.model import LabelStudioMLBase

flask = pytest.importorskip("flask")


class Asking(LabelStudioMLBase):
    """Answers with what Flask knows of the request."""

    def predict(self, tasks, context=None, **kwargs):
        request = flask.request
        return [[request.method, request.path, request.get_json()["project"], request.headers.get("X-Mine"), dict(request.args)]]


def test_the_request_is_flasks_request(client_of):
    response = client_of(Asking).post("/predict?a=1", json={"project": "1.2"}, headers={"X-Mine": "x"})
    assert response.json["results"] == [["POST", "/predict", "1.2", "x", {"a": "1"}]]
    assert not flask.has_request_context()


def test_a_request_that_came_without_wsgi_is_one_too():
    status, body = _calls.handle(Asking, "POST", "/predict", b'{"project": "1.2"}')
    assert (status, body) == (200, b'{"results":[["POST","/predict","1.2",null,{}]]}')


def test_flask_may_be_imported_in_the_middle_of_a_call(tmp_path):
    program = f'''
        import os, sys
        os.environ["MODEL_DIR"] = {str(tmp_path)!r}
        from label_studio_ml import _calls
        from label_studio_ml.model import LabelStudioMLBase

        class Late(LabelStudioMLBase):
            def predict(self, tasks, context=None, **kwargs):
                from flask import has_request_context, request
                return [has_request_context() and request.get_json()["project"]]

        assert "flask" not in sys.modules
        for project in ("1", "2"):
            body = b'{{"project": "%s"}}' % project.encode()
            print(_calls.handle(Late, "POST", "/predict", body)[1].decode())
        from flask import has_request_context
        print(has_request_context())
    '''
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines() == ['{"results":["1"]}', '{"results":["2"]}', "False"]


def test_routes_of_ones_own_are_behind_the_password_too(client_of):
    client = client_of(LabelStudioMLBase, basic_auth_user="u", basic_auth_pass="p")

    @client.application.route("/mine/<name>", methods=["POST"])
    def mine(name):
        return {"name": name, "body": flask.request.get_json()}

    assert client.post("/mine/x", json=[1]).status_code == 401
    response = client.post("/mine/x", json=[1], auth=("u", "p"))
    assert response.json == {"name": "x", "body": [1]}
    assert client.get("/health", auth=("u", "p")).json["status"] == "UP"


def test_the_app_can_be_mounted_in_another(client_of, predict):
    from werkzeug.middleware.dispatcher import DispatcherMiddleware

    ours = client_of(LabelStudioMLBase).application
    outer = flask.Flask("outer")
    outer.wsgi_app = DispatcherMiddleware(ours.wsgi_app, {"/data": flask.Flask("data").wsgi_app})
    body = {"tasks": [{"data": {}}], "label_config": LABEL_CONFIG}
    with outer.test_client() as client:
        assert client.get("/health").get_json()["model_class"] == "LabelStudioMLBase"
        assert client.post("/predict", json=body).get_json() == {"results": []}

"""Custom routes of a backend's `_wsgi.py` behind the Rust server: `label-studio-ml start`, and in
gunicorn.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_gunicorn import Gunicorn
from test_workers import MODEL, Backend

pytest.importorskip("flask")

WSGI = """
import json
import os

from flask import Blueprint, Response, abort, current_app, g, jsonify, redirect, request, session

from label_studio_ml.api import init_app
from label_studio_ml.exceptions import AnswerException, answer, exception_handler
from model import Probe

app = init_app(model_class=Probe)
app.config["MINE"] = "setting"
app.secret_key = "secret"


@app.before_request
def before():
    g.seen = request.headers.get("X-Mine", "nothing")
    if request.args.get("stop"):
        return "stopped", 418


@app.after_request
def after(response):
    response.headers["X-After"] = g.seen
    return response


@app.errorhandler(ZeroDivisionError)
def divided(error):
    return f"divided: {error}", 422


@app.route("/hello/<path:name>", methods=["GET", "PUT", "DELETE"])
def hello(name):
    return {"name": name, "method": request.method, "args": request.args, "config": current_app.config["MINE"]}


@app.route("/echo", methods=["POST"])
def echo():
    response = Response(request.get_data(), 201, content_type=request.content_type)
    response.headers.add("Set-Cookie", "a=1")
    response.headers.add("Set-Cookie", "b=2")
    return response


@app.route("/environ")
def environ():
    return jsonify({key: value for key, value in request.environ.items() if isinstance(value, str)})


@app.route("/upload", methods=["POST"])
def upload():
    names = {name: file.read().decode() for name, file in request.files.items()}
    return {"names": names, "bytes": len(request.get_data())}


@app.route("/stream")
def stream():
    return Response((f"{number}\\n" for number in range(3)), mimetype="text/event-stream")


@app.route("/broken/<how>")
def broken(how):
    if how == "divide":
        1 / 0
    if how == "missing":
        raise FileNotFoundError("no such weights")
    if how == "assert":
        assert False, "not like this"
    if how == "exit":
        os._exit(9)
    if how == "leave":
        raise SystemExit(3)
    if how == "header":
        response = Response("x")
        response.headers["X-Snowman"] = "\\u2603"
        return response
    if how == "large":
        return Response(b"x" * (1 << 20) for _ in range(3))
    abort(409)


@app.route("/slash/")
def slash():
    return "slash"


@app.route("/session")
def counted():
    session["n"] = session.get("n", 0) + 1
    return str(session["n"])


@app.route("/predict", methods=["GET"])
def explain():
    return "post tasks here"


@app.route("/answer/<how>")
@exception_handler
def answered(how):
    if how == "raise":
        raise ValueError("no such thing")
    if how == "end":
        raise AnswerException(409, "taken")
    return answer(200, result={"how": how})


@app.route("/versions")
def versions():
    return "never asked"


@app.route("/live")
def live():
    return "the app lives"


@app.route("/docs")
def docs():
    return "the app's documentation"


@app.route("/jobs/<name>", methods=["GET", "DELETE"])
def job(name):
    return f"the app's job {name}"


@app.route("/")
def home():
    return "<h1>the app's page</h1>"


mine = Blueprint("mine", __name__, url_prefix="/mine")


@mine.route("/")
def index():
    return "a blueprint"


app.register_blueprint(mine)
app.add_url_rule("/rule", view_func=lambda: "a rule")
"""


class Answer:
    def __init__(self, response: Any) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    backend: Backend,
    method: str,
    path: str,
    body: Any = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(backend.url).netloc, timeout=60)
    with contextlib.closing(connection):
        connection.request(method, path, body, headers or {})
        return Answer(connection.getresponse())


def write(folder: Path, wsgi: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "model.py").write_text(MODEL)
    (folder / "_wsgi.py").write_text(wsgi)
    return folder


def serve(kind: str, folder: Path, **variables: str) -> Backend:
    if kind == "start":
        return Backend(folder, cwd=None, MODEL_DIR=str(folder), **variables)
    return Gunicorn(folder, folder, "--threads", "4", **variables)


@pytest.fixture(scope="module", params=["start", "gunicorn"])
def backend(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Backend]:
    folder = write(tmp_path_factory.mktemp(request.param), WSGI)
    with serve(request.param, folder, MAX_BODY_MB="2") as backend:
        yield backend


def test_a_path_with_a_pattern_is_answered_by_the_app(backend: Backend) -> None:
    answer = ask(backend, "PUT", "/hello/a%20b/%C3%A9?x=1&y=%C3%A9", b"", {"X-Mine": "me"})
    assert answer.status == 200
    assert answer.json == {
        "args": {"x": "1", "y": "é"},
        "config": "setting",
        "method": "PUT",
        "name": "a b/é",
    }
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-After"] == "me"
    head = ask(backend, "HEAD", "/hello/you")
    assert (head.status, head.body) == (200, b"")
    assert int(head.headers["Content-Length"]) == len(ask(backend, "GET", "/hello/you").body) + len(
        "HEAD"
    ) - len("GET")
    options = ask(backend, "OPTIONS", "/hello/you")
    assert set(options.headers["Allow"].split(", ")) == {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"}


def test_bodies_and_repeated_headers_come_back_unchanged(backend: Backend) -> None:
    body = bytes(range(256)) * 100
    answer = ask(backend, "POST", "/echo", body, {"Content-Type": "application/x-mine"})
    assert (answer.status, answer.body) == (201, body)
    assert answer.headers["Content-Type"] == "application/x-mine"
    assert answer.headers.get_all("Set-Cookie") == ["a=1", "b=2"]
    chunked = ask(
        backend, "POST", "/echo", iter([b"two ", b"pieces"]), {"Content-Type": "text/plain"}
    )
    assert chunked.body == b"two pieces"


def test_a_form_with_files_arrives(backend: Backend) -> None:
    body = (
        '--b\r\nContent-Disposition: form-data; name="f"; filename="f.txt"\r\n\r\ntext\r\n--b--\r\n'
    )
    answer = ask(
        backend, "POST", "/upload", body, {"Content-Type": "multipart/form-data; boundary=b"}
    )
    assert answer.json == {"bytes": len(body), "names": {"f": "text"}}


def test_the_environ_is_that_of_wsgi(backend: Backend) -> None:
    headers = {
        "X-Two": "1",
        "X_Two": "forged",
        "Cookie": "a=1",
        "Content-Type": "text/plain",
        "Proxy": "http://evil",
    }
    environ = ask(backend, "GET", "/environ?a=%20b", b"body", headers).json
    netloc = urllib.parse.urlsplit(backend.url)
    expected = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/environ",
        "QUERY_STRING": "a=%20b",
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": str(netloc.port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": netloc.netloc,
        "HTTP_X_TWO": "1",
        "HTTP_COOKIE": "a=1",
        "CONTENT_TYPE": "text/plain",
        "CONTENT_LENGTH": "4",
        "wsgi.url_scheme": "http",
    }
    assert {key: environ.get(key) for key in expected} == expected
    assert "HTTP_PROXY" not in environ
    behind_proxy = ask(backend, "GET", "/environ", headers={"X-Forwarded-Proto": "https"}).json
    assert behind_proxy["wsgi.url_scheme"] == "https"
    assert "CONTENT_LENGTH" not in behind_proxy


def test_an_answer_in_pieces_arrives_whole(backend: Backend) -> None:
    answer = ask(backend, "GET", "/stream")
    assert answer.body == b"0\n1\n2\n"
    assert answer.headers["Content-Type"].startswith("text/event-stream")


def test_hooks_and_error_handlers_run(backend: Backend) -> None:
    stopped = ask(backend, "GET", "/hello/you?stop=1")
    assert (stopped.status, stopped.body) == (418, b"stopped")
    divided = ask(backend, "GET", "/broken/divide")
    assert (divided.status, divided.body) == (422, b"divided: division by zero")
    missing = ask(backend, "GET", "/broken/missing")
    assert (missing.status, missing.body) == (404, b"no such weights")
    asserted = ask(backend, "GET", "/broken/assert")
    assert (asserted.status, asserted.body) == (500, b"not like this")
    assert ask(backend, "GET", "/broken/abort").status == 409
    cookie = ask(backend, "GET", "/session").headers["Set-Cookie"].partition(";")[0]
    assert ask(backend, "GET", "/session", headers={"Cookie": cookie}).body == b"2"


def test_answers_of_the_package_are_answers_of_a_view(backend: Backend) -> None:
    for how, status, said in [
        ("well", 200, "ok"),
        ("raise", 500, "ValueError: no such thing"),
        ("end", 409, "taken"),
    ]:
        answer = ask(backend, "GET", f"/answer/{how}?q=1")
        assert (answer.status, answer.json["detail"], answer.json["request"]) == (
            status,
            said,
            {"q": "1"},
        )
        assert answer.headers["X-After"] == "nothing"


def test_blueprints_rules_and_redirects_are_there(backend: Backend) -> None:
    assert ask(backend, "GET", "/mine/").body == b"a blueprint"
    assert ask(backend, "GET", "/rule").body == b"a rule"
    redirect = ask(backend, "GET", "/slash")
    assert redirect.status in (301, 308) and redirect.headers["Location"].endswith("/slash/")
    assert ask(backend, "POST", "/rule").status == 405


def test_routes_of_the_server_win_over_custom_ones(backend: Backend) -> None:
    assert ask(backend, "GET", "/health").json == {"model_class": "Probe", "status": "UP"}
    assert "versions" in ask(backend, "GET", "/versions").json
    assert backend.predict()[0] == 200
    explained = ask(backend, "GET", "/predict")
    assert (explained.status, explained.body) == (200, b"post tasks here")
    assert ask(backend, "OPTIONS", "/predict").status == 200
    assert ask(backend, "DELETE", "/setup").status == 405
    backend.wait_for("answers these routes itself and never calls the app for them: /versions")
    backend.wait_for("run for custom routes only, not for /, /health")


def test_the_app_has_its_own_pages_where_the_server_has_some(backend: Backend) -> None:
    assert ask(backend, "GET", "/live").body == b"the app lives"
    assert ask(backend, "GET", "/docs").body == b"the app's documentation"
    assert ask(backend, "GET", "/jobs/7").body == b"the app's job 7"
    assert ask(backend, "DELETE", "/jobs/7").body == b"the app's job 7"
    assert ask(backend, "GET", "/jobs").json["jobs"] == []
    assert ask(backend, "GET", "/openapi.json").json["openapi"] == "3.1.0"
    browser = {"Accept": "text/html,*/*;q=0.8"}
    assert ask(backend, "GET", "/", headers=browser).body == b"<h1>the app's page</h1>"
    health = {"model_class": "Probe", "status": "UP"}
    assert ask(backend, "GET", "/", headers={"Accept": "*/*"}).json == health


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/%00",
        "/..%2f..%2fetc/passwd",
        "/hello",
        "//evil.example/%2e%2e",
        "/%ff%fe",
        "/a?" + "x" * 5000,
        "/hello/%00?%zz",
    ],
)
def test_hostile_paths_are_harmless(backend: Backend, path: str) -> None:
    assert ask(backend, "GET", path).status in (200, 301, 308, 404)
    assert ask(backend, "GET", "/rule").status == 200


def test_what_cannot_be_sent_or_read_is_an_error_of_that_request(backend: Backend) -> None:
    for how, status, said in [
        ("leave", 500, "SystemExit: 3"),
        ("header", 500, "header"),
        ("large", 500, "MAX_BODY_MB allows larger ones"),
    ]:
        answer = ask(backend, "GET", f"/broken/{how}")
        assert answer.status == status and said in answer.json["detail"], answer.body
        assert answer.json["request_id"]
    # The server does not wait for a body that it will not read.
    large = ask(backend, "POST", "/echo", b"", {"Content-Length": str(3 << 20)})
    assert large.status == 413
    assert ask(backend, "GET", "/rule").status == 200


def test_a_request_is_counted_among_the_metrics(backend: Backend) -> None:
    before = ask(backend, "GET", "/metrics", headers={"Accept": "application/json"}).json["samples"]
    ask(backend, "GET", "/rule")
    after = ask(backend, "GET", "/metrics", headers={"Accept": "application/json"}).json["samples"]
    name = 'label_studio_ml_requests_total{route="other",status="200"}'
    assert after[name] == before[name] + 1


def test_a_crash_fails_only_the_request_that_caused_it(tmp_path: Path) -> None:
    with serve("start", write(tmp_path / "backend", WSGI), WORKERS="1") as backend:
        answer = ask(backend, "GET", "/broken/exit")
        assert answer.status == 500 and "exit code 9" in answer.json["detail"], answer.body
        assert ask(backend, "GET", "/rule").body == b"a rule"
        assert backend.predict()[0] == 200


@pytest.mark.parametrize("kind", ["start", "gunicorn"])
def test_custom_routes_need_the_password(tmp_path: Path, kind: str) -> None:
    folder = write(tmp_path / "backend", WSGI)
    with serve(kind, folder, BASIC_AUTH_USER="u", BASIC_AUTH_PASS="pé") as backend:
        assert ask(backend, "GET", "/rule").status == 401
        # "u:pé" in Latin-1, and in UTF-8
        for credentials in ("dTpw6Q==", "dTpww6k="):
            answer = ask(backend, "GET", "/rule", headers={"Authorization": f"Basic {credentials}"})
            assert (answer.status, answer.body) == (200, b"a rule")


PLAIN = "from label_studio_ml.api import init_app\nfrom model import Probe\napp = init_app(model_class=Probe)\n"
AROUND = """
inner = app.wsgi_app
def around(environ, start_response):
    if environ["PATH_INFO"] != "/around":
        return inner(environ, start_response)
    write = start_response("203 Whatever", [("X-Around", "1"), ("Connection", "close"), ("Content-Length", "99")])
    write(b"written ")
    return [b"and ", b"returned"]
app.wsgi_app = around
"""


@pytest.mark.parametrize("kind", ["start", "gunicorn"])
def test_middleware_answers(tmp_path: Path, kind: str) -> None:
    with serve(kind, write(tmp_path / "backend", PLAIN + AROUND)) as backend:
        answer = ask(backend, "GET", "/around")
        assert (answer.status, answer.body) == (203, b"written and returned")
        assert answer.headers["X-Around"] == "1"
        unknown = ask(backend, "GET", "/other")
        assert (unknown.status, unknown.json["detail"]) == (404, "there is no /other")
        assert ask(backend, "GET", "/predict").status == 405
        assert backend.predict()[0] == 200
        backend.wait_for("middleware and before/after-request hooks of the app")


@pytest.mark.parametrize("kind", ["start", "gunicorn"])
def test_an_app_without_custom_routes_is_never_called(tmp_path: Path, kind: str) -> None:
    with serve(kind, write(tmp_path / "backend", PLAIN)) as backend:
        answer = ask(backend, "GET", "/hello/you")
        assert (answer.status, answer.json["detail"]) == (404, "there is no /hello/you")
        assert ask(backend, "GET", "/predict").status == 405


MOUNTED = (
    PLAIN
    + """
from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware

data = Flask("data")
data.add_url_rule("/upload", view_func=lambda: "uploaded", methods=["POST"])
inner, app = app, Flask("outer")
app.wsgi_app = DispatcherMiddleware(inner.wsgi_app, {"/data": data.wsgi_app})
"""
)


def test_an_app_that_holds_ours_answers_under_start(tmp_path: Path) -> None:
    with serve("start", write(tmp_path / "backend", MOUNTED)) as backend:
        assert ask(backend, "POST", "/data/upload", b"").body == b"uploaded"
        assert backend.predict()[0] == 200
        assert ask(backend, "GET", "/nothing").status == 404


def test_a_page_for_what_is_not_there_is_shown(tmp_path: Path) -> None:
    page = "@app.errorhandler(404)\ndef missing(error): return 'a page', 404\n"
    with serve("start", write(tmp_path / "backend", PLAIN + page)) as backend:
        answer = ask(backend, "GET", "/nothing")
        assert (answer.status, answer.body) == (404, b"a page")


def test_an_answer_without_end_ends_before_the_process_would_be_ended(tmp_path: Path) -> None:
    endless = "from itertools import repeat\n@app.route('/endless')\ndef endless(): return (b'' for _ in repeat(0))\n"
    with serve(
        "start", write(tmp_path / "backend", PLAIN + endless), PREDICT_DEADLINE="1"
    ) as backend:
        process = backend.predict()[1]["results"][0]["result"]
        answer = ask(backend, "GET", "/endless")
        assert answer.status == 500 and "PREDICT_DEADLINE" in answer.json["detail"], answer.body
        assert backend.predict()[1]["results"][0]["result"] == process

"""The app under WSGI servers."""

from __future__ import annotations

import http.client
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import wsgiref.validate
from pathlib import Path
from typing import Any, Callable

import pytest
from conftest import ClientOf

from label_studio_ml._internal.http import make_environ
from label_studio_ml.model import LabelStudioMLBase

MODEL = """
from label_studio_ml.model import LabelStudioMLBase

class Echo(LabelStudioMLBase):
    def predict(self, tasks, context=None, **kwargs):
        return [{"result": [], "score": task["data"]["score"]} for task in tasks]
"""
# As the original writes it.
WSGI = "from label_studio_ml.api import init_app\nfrom model import Echo\napp = init_app(model_class=Echo)\n"
BODY = json.dumps({"tasks": [{"data": {"score": 0.25}}], "project": "1.2"})


@pytest.mark.parametrize(
    "method, path, body",
    [("GET", "/health", b""), ("POST", "/predict", b"{}"), ("GET", "/no", b"")],
)
def test_keeps_to_the_wsgi_standard(
    client_of: ClientOf, method: str, path: str, body: bytes
) -> None:
    app = wsgiref.validate.validator(client_of(LabelStudioMLBase).application)
    environ = make_environ(method, path, body)
    environ["wsgi.errors"] = io.StringIO()
    statuses = []

    def start_response(
        status: str, headers: Any, exc_info: Any = None
    ) -> Callable[[bytes], object]:
        statuses.append(status)
        return lambda data: None

    chunks: Any = app(environ, start_response)
    try:
        assert b"".join(chunks).startswith(b"{")
    finally:
        chunks.close()
    assert len(statuses) == 1


def ask(port: int, method: str, path: str, body: str | None = None) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path, body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    answer = response.status, json.loads(response.read())
    connection.close()
    return answer


@pytest.mark.parametrize(
    "extension", ["", "app.route('/mine')(lambda: {'mine': 1})\n"], ids=["plain", "with a route"]
)
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT], ids=str)
def test_run_serves_until_interrupted(tmp_path: Path, extension: str, end: signal.Signals) -> None:
    (tmp_path / "model.py").write_text(MODEL)
    run = "import logging, sys\nlogging.basicConfig(level='INFO', stream=sys.stdout)\napp.run(host='127.0.0.1', port=0)\n"
    (tmp_path / "_wsgi.py").write_text(WSGI + extension + run)
    env = {**os.environ, "MODEL_DIR": str(tmp_path / "models"), "PYTHONUNBUFFERED": "1"}
    # SIGINT as a shell leaves it: ignored in its background, where SIGTERM is what counts.
    interrupt = signal.SIG_DFL if end == signal.SIGINT else signal.SIG_IGN
    process = subprocess.Popen(
        [sys.executable, "_wsgi.py"],
        cwd=tmp_path,
        env=env,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, interrupt),
    )
    assert process.stdout
    try:
        port = next(
            int(line.rpartition(":")[2])
            for line in process.stdout
            if "listening on http://" in line
        )
        assert ask(port, "GET", "/health") == (200, {"model_class": "Echo", "status": "UP"})
        status, answer = ask(port, "POST", "/predict", BODY)
        assert (status, answer["results"][0]["score"]) == (200, 0.25)
        if extension:
            assert ask(port, "GET", "/mine") == (200, {"mine": 1})
    finally:
        process.send_signal(end)
        process.stdout.close()
        assert process.wait(60) in (0, -end)


@pytest.fixture
def flask_command(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Runs `flask --app _wsgi:app` and further options on the model."""
    pytest.importorskip("flask")
    (tmp_path / "model.py").write_text(MODEL)
    (tmp_path / "_wsgi.py").write_text(WSGI)
    env = {**os.environ, "MODEL_DIR": str(tmp_path / "models"), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "flask", "--app", "_wsgi:app"]
    return lambda *options: subprocess.Popen(
        [*command, *options],
        cwd=tmp_path,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_the_command_of_flask_serves_the_app(
    flask_command: Callable[..., subprocess.Popen[str]],
) -> None:
    process = flask_command("run", "--port", "0")
    assert process.stdout
    try:
        line = next(line for line in process.stdout if "Running on http://" in line)
        port = int(line.strip().rpartition(":")[2])
        assert ask(port, "GET", "/health") == (200, {"model_class": "Echo", "status": "UP"})
        assert ask(port, "POST", "/predict", BODY)[1]["results"][0]["score"] == 0.25
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


def test_a_file_with_variables_is_read_by_run(tmp_path: Path) -> None:
    pytest.importorskip("dotenv")
    (tmp_path / "model.py").write_text(
        MODEL.replace('task["data"]["score"]', 'float(os.environ["SCORE"])').replace(
            "\nfrom", "import os\nfrom", 1
        )
    )
    run = "import logging, sys\nlogging.basicConfig(level='INFO', stream=sys.stdout)\napp.run(host='127.0.0.1', port=0)\n"
    (tmp_path / "_wsgi.py").write_text(WSGI + run)
    (tmp_path / ".env").write_text("SCORE=0.75\n")
    env = {**os.environ, "MODEL_DIR": str(tmp_path / "models"), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, "_wsgi.py"], cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    try:
        port = next(
            int(line.rpartition(":")[2])
            for line in process.stdout
            if "listening on http://" in line
        )
        assert ask(port, "POST", "/predict", BODY)[1]["results"][0]["score"] == 0.75
    finally:
        process.terminate()
        process.stdout.close()
        process.wait(60)


@pytest.mark.parametrize(
    "options", [["--threads", "4"], ["--preload", "--workers", "2", "--threads", "2"]], ids=" ".join
)
def test_gunicorn_serves_a_project_of_the_original(tmp_path: Path, options: list[str]) -> None:
    gunicorn: Path | str | None = Path(sysconfig.get_path("scripts")) / "gunicorn"
    if not os.path.exists(str(gunicorn)):
        gunicorn = shutil.which("gunicorn")
    if gunicorn is None:
        pytest.skip("gunicorn is not installed")
    (tmp_path / "model.py").write_text(MODEL)
    (tmp_path / "_wsgi.py").write_text(WSGI)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        command = [str(gunicorn), *options, "--bind", f"fd://{listener.fileno()}", "_wsgi:app"]
        env = {**os.environ, "MODEL_DIR": str(tmp_path / "models")}
        process = subprocess.Popen(command, cwd=tmp_path, pass_fds=[listener.fileno()], env=env)
        try:
            port = listener.getsockname()[1]
            assert ask(port, "GET", "/health") == (200, {"model_class": "Echo", "status": "UP"})
            assert ask(port, "POST", "/predict", BODY) == (
                200,
                {"results": [{"result": [], "score": 0.25}]},
            )
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0

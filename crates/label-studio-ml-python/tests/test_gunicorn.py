"""The worker class for gunicorn."""

import os
import re
import subprocess
import sys

import pytest
from conftest import LABEL_CONFIG
from test_workers import MODEL, Backend

pytest.importorskip("gunicorn")

WSGI = "from label_studio_ml.api import init_app\nfrom model import Probe\napp = init_app(model_class=Probe)\n"
CLASS = "-k label_studio_ml.gunicorn.Worker"


class Gunicorn(Backend):
    def __init__(self, folder, model_dir, *options):
        env = {**os.environ, "GUNICORN_CMD_ARGS": CLASS, "MODEL_DIR": str(model_dir)}
        command = [sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0", "--timeout", "0", *options, "_wsgi:app"]
        self.start(command, env=env, cwd=folder)
        self.url = self.wait_for(r"Listening at: (http://\S+)").group(1)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "model.py").write_text(MODEL)
    (tmp_path / "_wsgi.py").write_text(WSGI)
    return tmp_path


def test_one_variable_puts_the_rust_server_into_gunicorn(folder):
    with Gunicorn(folder, folder, "--preload", "--workers", "2", "--threads", "4") as backend:
        assert backend.predict()[1]["results"][0]["model_version"] == "probe-1"
        assert backend.get("/ready") == (200, {"model_class": "Probe", "status": "READY"})
        assert backend.post("/setup", project="1", schema=LABEL_CONFIG) == (200, {"model_version": "probe-1"})
        status, answer = backend.predict("raise")
        assert (status, answer["detail"]) == (500, "ValueError: no such mood")
        event = backend.post("/webhook", action="START_TRAINING", project={"id": 1, "label_config": LABEL_CONFIG})
        assert event[0] == 201
        assert backend.end() == 0


def test_an_app_of_another_kind_is_refused_with_the_reason(folder):
    (folder / "_wsgi.py").write_text("def app(environ, start_response): return []\n")
    env = {**os.environ, "GUNICORN_CMD_ARGS": CLASS}
    command = [sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0", "_wsgi:app"]
    run = subprocess.run(command, env=env, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert run.returncode != 0
    assert re.search(r"serves what init_app\(\) returns, but the app is a function", run.stdout), run.stdout


def run_gunicorn(folder, *options):
    env = {**os.environ, "GUNICORN_CMD_ARGS": CLASS}
    command = [sys.executable, "-m", "gunicorn", *options, "_wsgi:app"]
    return subprocess.run(command, env=env, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_a_unix_socket_is_refused_with_the_mend(folder):
    run = run_gunicorn(folder, "--bind", f"unix:{folder}/socket")
    assert run.returncode != 0
    assert re.search(r"listens on TCP only, not on unix:.*/socket; bind to a host and port", run.stdout), run.stdout


def test_paths_that_are_not_served_are_named(folder):
    pytest.importorskip("flask")
    added = "\n@app.route('/hello/<name>')\ndef hello(name): return name\n"
    (folder / "_wsgi.py").write_text(WSGI + added)
    with Gunicorn(folder, folder) as backend:
        backend.wait_for("not served here and answer 404: /hello/<name>; for them serve the app with gunicorn's own")
        assert backend.predict()[0] == 200
        assert backend.get("/hello/you")[0] == 404
        assert backend.end() == 0

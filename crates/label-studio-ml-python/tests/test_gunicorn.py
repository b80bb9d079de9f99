"""The worker class for gunicorn."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from conftest import LABEL_CONFIG
from test_workers import MODEL, Backend

pytest.importorskip("gunicorn")

WSGI = "from label_studio_ml.api import init_app\nfrom model import Probe\napp = init_app(model_class=Probe)\n"
CLASS = "-k label_studio_ml.gunicorn.Worker"


class Gunicorn(Backend):
    def __init__(
        self,
        folder: Path,
        model_dir: Path,
        *options: str,
        bind: Iterable[str] = ("127.0.0.1:0",),
        **variables: str,
    ) -> None:
        env = {**os.environ, "GUNICORN_CMD_ARGS": CLASS, "MODEL_DIR": str(model_dir), **variables}
        binds = [option for address in bind for option in ("--bind", address)]
        command = [
            sys.executable,
            "-m",
            "gunicorn",
            *binds,
            "--timeout",
            "0",
            *options,
            "_wsgi:app",
        ]
        self.start(command, env=env, cwd=folder)
        self.url = self.wait_for(r"Listening at: (?:unix:\S+?,)?(http://[^,\s]+)").group(1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model.py").write_text(MODEL)
    (tmp_path / "_wsgi.py").write_text(WSGI)
    return tmp_path


def test_one_variable_puts_the_rust_server_into_gunicorn(folder: Path) -> None:
    with Gunicorn(folder, folder, "--preload", "--workers", "2", "--threads", "4") as backend:
        assert backend.predict()[1]["results"][0]["model_version"] == "probe-1"
        assert backend.get("/ready") == (200, {"model_class": "Probe", "status": "READY"})
        assert backend.post("/setup", project="1", schema=LABEL_CONFIG) == (
            200,
            {"model_version": "probe-1"},
        )
        status, answer = backend.predict("raise")
        assert (status, answer["detail"]) == (500, "ValueError: no such mood")
        event = backend.post(
            "/webhook", action="START_TRAINING", project={"id": 1, "label_config": LABEL_CONFIG}
        )
        assert event[0] == 201
        assert backend.end() == 0


def test_a_training_in_gunicorns_worker_reports_to_its_job_and_can_be_cancelled(
    folder: Path,
) -> None:
    (folder / "model.py").write_text(
        MODEL
        + """
    def fit(self, event, data, **kwargs):
        self.job.progress(0.5, "half")
        print("waits to be cancelled", flush=True)
        while not self.job.is_cancelled():
            pass
"""
    )
    with Gunicorn(folder, folder, "--threads", "4") as backend:
        project = {"id": 1, "label_config": LABEL_CONFIG}
        backend.post("/webhook", action="START_TRAINING", project=project)
        backend.wait_for("waits to be cancelled")
        while backend.get("/jobs/1")[1]["progress"] != 0.5:
            pass
        assert backend.get("/jobs/1/log")[1]["log"] == "waits to be cancelled\n"
        backend.delete("/jobs/1")
        while backend.get("/jobs/1")[1]["state"] == "running":
            pass
        assert backend.get("/jobs/1")[1]["state"] == "cancelled"
        assert backend.end() == 0


def test_an_app_of_another_kind_is_refused_with_the_reason(folder: Path) -> None:
    (folder / "_wsgi.py").write_text("def app(environ, start_response): return []\n")
    env = {**os.environ, "GUNICORN_CMD_ARGS": CLASS}
    command = [sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0", "_wsgi:app"]
    run = subprocess.run(
        command, env=env, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert run.returncode != 0
    assert re.search(r"serves what init_app\(\) returns, but the app is a function", run.stdout), (
        run.stdout
    )


def test_unix_sockets_are_served_beside_others(folder: Path) -> None:
    pytest.importorskip("flask")
    added = "from flask import request\n@app.route('/who')\ndef who(): return request.remote_addr or 'no address'\n"
    (folder / "_wsgi.py").write_text(WSGI + added)
    path = folder / "socket"
    with Gunicorn(folder, folder, bind=[f"unix:{path}", "127.0.0.1:0", "127.0.0.1:0"]) as backend:
        urls = backend.wait_for(r"Listening at: unix:\S+?,(http://\S+?),(http://\S+)").groups()
        for url in urls:
            backend.url = url
            assert backend.predict()[0] == 200
        connection = http.client.HTTPConnection("socket")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(path))
        connection.request("GET", "/health")
        assert json.loads(connection.getresponse().read()) == {
            "model_class": "Probe",
            "status": "UP",
        }
        connection.request("GET", "/who")
        assert connection.getresponse().read() == b"no address"
        connection.close()
        assert backend.end() == 0

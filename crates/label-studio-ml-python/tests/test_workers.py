"""`label-studio-ml start` with real worker processes."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest
from conftest import LABEL_CONFIG
from typing_extensions import Self

MODEL = """
import ctypes
import os
import sys

from label_studio_ml.model import LabelStudioMLBase
from label_studio_ml.response import ModelResponse


class Probe(LabelStudioMLBase):
    def __init__(self, project_id=None, label_config=None, weight=0.5):
        self.weight = weight
        super().__init__(project_id=project_id, label_config=label_config)

    def setup(self):
        self.set("model_version", "probe-1")

    def predict(self, tasks, context=None, **kwargs):
        print("noise on the standard output")
        order = tasks[0]["data"].get("order")
        if order == "exit":
            os._exit(3)
        if order == "leave":
            sys.exit(3)
        if order == "segfault":
            ctypes.string_at(0)
        if order == "fork" and os.fork() == 0:
            os._exit(0)
        if order == "raise":
            raise ValueError("no such mood")
        if order == "environ":
            return [dict(os.environ)]
        result = [{"from_name": "mood", "to_name": "text", "type": "choices", "value": {"choices": [str(os.getpid())]}}]
        return ModelResponse(predictions=[{"result": result, "score": self.weight} for _ in tasks])

    def fit(self, event, data, **kwargs):
        return {"event": event, "process": os.getpid()}
"""


def environment(**variables: str | None) -> dict[str, str]:
    """The environment with some variables set, and those that are None unset."""
    return {name: value for name, value in {**os.environ, **variables}.items() if value is not None}


# The status and the JSON of an answer.
Reply = tuple[int, Any]


class Backend:
    def __init__(
        self, target: Path | str, *options: str, cwd: Path | None = None, **variables: str | None
    ) -> None:
        command = [sys.executable, "-m", "label_studio_ml.server", "start", str(target), *options]
        self.start(command, env=environment(PORT="0", **variables), cwd=cwd)
        self.url = (
            self.wait_for(r"listening on (http://\S+)").group(1).replace("0.0.0.0", "127.0.0.1")
        )

    def start(self, command: list[str], **kwargs: Any) -> None:
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **kwargs
        )
        assert self.process.stdout
        self._output = self.process.stdout
        self.lines: list[str] = []
        self.more = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.reader.join(10)
        self._output.close()

    def _read(self) -> None:
        for line in self._output:
            with self.more:
                self.lines.append(line)
                self.more.notify_all()

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Waits for a line of the log."""
        with self.more:
            while True:
                match = re.search(pattern, "".join(self.lines))
                if match:
                    return match
                if not self.more.wait(60):
                    # A test that fails while it starts a backend does not end it otherwise.
                    self.process.kill()
                    raise AssertionError("".join(self.lines))

    def get(self, path: str) -> Reply:
        return self._send(urllib.request.Request(self.url + path))

    def delete(self, path: str) -> Reply:
        return self._send(urllib.request.Request(self.url + path, method="DELETE"))

    def post(self, path: str, **body: Any) -> Reply:
        headers = {"Content-Type": "application/json"}
        return self._send(
            urllib.request.Request(self.url + path, json.dumps(body).encode(), headers)
        )

    def predict(self, order: str | None = None) -> Reply:
        body = {"tasks": [{"id": 1, "data": {"text": "a", "order": order}}], "project": "1.2"}
        return self.post("/predict", label_config=LABEL_CONFIG, **body)

    def _send(self, request: urllib.request.Request) -> Reply:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


Start = Callable[..., Backend]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts backends that end with the test."""
    with contextlib.ExitStack() as backends:

        def start(
            target: Path | str, *options: str, cwd: Path | None = None, **variables: str | None
        ) -> Backend:
            variables = {"MODEL_DIR": str(tmp_path / "models"), **variables}
            return backends.enter_context(Backend(target, *options, cwd=cwd, **variables))

        yield start


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "backend"
    folder.mkdir()
    (folder / "model.py").write_text(MODEL)
    return folder


def test_a_model_is_served_unchanged(start: Start, folder: Path) -> None:
    backend = start(folder)
    status, answer = backend.predict()
    assert status == 200, answer
    (entry,) = answer["results"]
    assert (entry["score"], entry["model_version"]) == (0.5, "probe-1")
    assert entry["result"][0]["value"]["choices"] != [str(backend.process.pid)]
    backend.wait_for("predicted.* tasks=1 regions=1 ")
    assert backend.get("/health") == (200, {"model_class": "Probe", "status": "UP"})
    assert backend.get("/ready")[0] == 200
    assert backend.post("/setup", project="1.2", schema=LABEL_CONFIG) == (
        200,
        {"model_version": "probe-1"},
    )
    status, answer = backend.post(
        "/webhook", action="START_TRAINING", project={"id": 1, "label_config": LABEL_CONFIG}
    )
    assert (status, answer["result"]["event"]) == (201, "START_TRAINING")
    assert backend.post("/webhook", action="OTHER") == (200, {"status": "Unknown event"})
    assert backend.end() == 0


def test_a_training_that_the_model_declines_is_not_logged_as_one_that_was_done(
    start: Start, folder: Path
) -> None:
    fit = 'return data["returned"]'
    returned = 'return {"event": event, "process": os.getpid()}'
    assert returned in MODEL
    (folder / "model.py").write_text(MODEL.replace(returned, fit))
    backend = start(folder)
    cases = [
        (None, "the model returned nothing for the event"),
        ({"skipped": "too few labels"}, "nothing was trained: too few labels"),
        ({"epochs": 3}, "job ended: done"),
    ]
    for number, (value, line) in enumerate(cases, 1):
        project = {"id": 1, "label_config": LABEL_CONFIG}
        assert (
            backend.post("/webhook", action="START_TRAINING", project=project, returned=value)[0]
            == 201
        )
        backend.wait_for(f"{line} job={number} took=")
    assert len(re.findall("job ended", "".join(backend.lines))) == 1


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_crash_costs_one_request(start: Start, folder: Path, workers: str) -> None:
    backend = start(folder, WORKERS=workers)
    for order, said in [("exit", "exit code 3"), ("segfault", "segmentation fault")]:
        status, answer = backend.predict(order)
        assert status == 500 and said in answer["detail"], answer
        assert answer["request_id"] and "Traceback" not in json.dumps(answer)
        assert backend.predict()[0] == 200


def test_what_a_model_raises_is_told_without_a_traceback(start: Start, folder: Path) -> None:
    backend = start(folder)
    status, answer = backend.predict("raise")
    assert (status, answer["detail"]) == (500, "ValueError: no such mood")
    backend.wait_for(
        f"Traceback(.|\n)*{answer['request_id']}|{answer['request_id']}(.|\n)*Traceback"
    )
    assert backend.predict("leave")[0] == 500
    assert backend.predict("fork")[0] == 200
    assert backend.predict()[0] == 200


def test_a_model_that_cannot_be_imported_says_why(start: Start, folder: Path) -> None:
    (folder / "model.py").write_text("import a_package_that_is_missing\n")
    backend = start(folder)
    backend.wait_for("the model could not be loaded")
    status, answer = backend.get("/ready")
    assert status == 503 and "a_package_that_is_missing" in answer["detail"], answer
    assert backend.predict()[0] == 503
    assert backend.get("/health")[0] == 200
    backend.wait_for("Traceback")


def score(backend: Backend) -> Any:
    status, answer = backend.predict()
    assert status == 200, answer
    return answer["results"][0]["score"]


def test_parameters_reach_the_constructor_only_when_they_are_given(
    start: Start, folder: Path
) -> None:
    config = folder / "config.json"
    config.write_text('{"weight": 0.75, "architectures": ["BertModel"]}')
    assert score(start(folder)) == 0.5
    assert score(start(".", cwd=folder)) == 0.5
    assert score(start(folder, "--config", str(config))) == 0.75
    assert score(start(folder, CONFIG_FILE=str(config))) == 0.75
    assert score(start(folder, "--kwargs", "weight=0.25")) == 0.25
    assert score(start(folder, "--config", str(config), "--with", "weight=0.25")) == 0.25


def test_a_constructor_that_takes_everything_gets_nothing_of_a_checkpoint_beside_it(
    start: Start, folder: Path
) -> None:
    (folder / "config.json").write_text('{"architectures": ["BertModel"]}')
    everything = "def __init__(self, **kwargs):\n        self.weight = 0.5\n        super().__init__(**kwargs)\n"
    model = (
        MODEL.partition("    def __init__")[0]
        + "    "
        + everything
        + "\n    def setup"
        + MODEL.partition("    def setup")[2]
    )
    (folder / "model.py").write_text(model)
    assert score(start(folder)) == 0.5


def test_variables_that_are_not_set_stay_unset(start: Start, folder: Path) -> None:
    names = [
        "MODEL_DIR",
        "LOG_LEVEL",
        "MAX_BODY_MB",
        "PYTHONUNBUFFERED",
        "LABEL_STUDIO_URL",
        "BASIC_AUTH_USER",
    ]
    backend = start(".", cwd=folder, **dict.fromkeys(names))
    (environ,) = backend.predict("environ")[1]["results"]
    assert [name for name in names if name in environ] == []
    given = [
        "--model-dir",
        "models",
        "--log-level",
        "DEBUG",
        "--label-studio-url",
        "http://localhost:1",
    ]
    backend = start(".", *given, cwd=folder, **dict.fromkeys(names))
    (environ,) = backend.predict("environ")[1]["results"]
    assert environ["MODEL_DIR"] == str(folder / "models")
    assert (environ["LOG_LEVEL"], environ["LABEL_STUDIO_URL"]) == ("DEBUG", "http://localhost:1")


def test_a_folder_that_is_named_in_a_variable_is_passed_on_as_it_is(
    start: Start, folder: Path
) -> None:
    backend = start(".", cwd=folder, MODEL_DIR="models")
    assert backend.predict("environ")[1]["results"][0]["MODEL_DIR"] == "models"
    assert (folder / "models/cache.db").exists()


def test_a_file_with_variables_is_read_where_it_is_started(start: Start, folder: Path) -> None:
    pytest.importorskip("dotenv")
    (folder / ".env").write_text(
        "FROM_FILE=1\nFROM_BOTH=file\nLABEL_STUDIO_URL=http://localhost:1\n"
    )
    backend = start(".", cwd=folder, FROM_FILE=None, FROM_BOTH="shell", LABEL_STUDIO_URL=None)
    (environ,) = backend.predict("environ")[1]["results"]
    assert (environ["FROM_FILE"], environ["FROM_BOTH"]) == ("1", "shell")
    assert environ["LABEL_STUDIO_URL"] == "http://localhost:1"


FIRST = (
    "from label_studio_ml.model import LabelStudioMLBase\nclass First(LabelStudioMLBase): pass\n"
)
FUNCTIONS = "from label_studio_ml.model import predict_fn\n@predict_fn\ndef f(tasks, context, helper, **kw): return []\n"
AUTH = (
    FIRST
    + "from label_studio_ml.api import init_app\napp = init_app(First, basic_auth_user='u', basic_auth_pass='p')\n"
)


@pytest.mark.parametrize(
    "files, target, code, said",
    [
        ({"model.py": FIRST}, ".", 0, "First can be loaded"),
        ({"model.py": FIRST + "class Second(First): pass\n"}, ".", 0, "Second can be loaded"),
        (
            {"model.py": FIRST + "class Other(LabelStudioMLBase): pass\n"},
            ".",
            1,
            "several model classes: First, Other",
        ),
        (
            {"m.py": FIRST + "class Other(LabelStudioMLBase): pass\n"},
            "m.py:Other",
            0,
            "Other can be loaded",
        ),
        ({"m.py": FIRST}, "m.py:Missing", 1, "no model class Missing; it has First"),
        ({"json.py": FIRST}, "json.py", 0, "First can be loaded"),
        ({"model.py": FUNCTIONS}, ".", 0, "LabelStudioMLBase can be loaded"),
        ({"model.py": "x = 1\n"}, ".", 1, "no class that inherits from LabelStudioMLBase"),
        ({"model.py": "import nothing_like_it\n"}, ".", 1, "pip install -r requirements.txt"),
        (
            {"model.py": FIRST, "_wsgi.py": "from model import First as Wsgi\n"},
            ".",
            0,
            "First can be loaded",
        ),
        ({"_wsgi.py": AUTH}, ".", 1, "BASIC_AUTH_USER and BASIC_AUTH_PASS"),
    ],
)
def test_the_class_is_found_as_the_original_finds_it(
    tmp_path: Path, files: dict[str, str], target: str, code: int, said: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    task: dict[str, Any] = {
        "target": str(tmp_path / target),
        "params": {},
        "basic_auth": None,
        "log_level": "INFO",
    }
    program = "from label_studio_ml._internal.worker import main; main()"
    command = [sys.executable, "-c", program, "--check"]
    run = subprocess.run(
        command, input=json.dumps(task), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert (run.returncode, said in run.stdout) == (code, True), run.stdout
    assert ("Traceback" in run.stdout) == ("import nothing_like_it" in files.get("model.py", "")), (
        run.stdout
    )


def test_check_makes_an_object_before_anything_listens(folder: Path, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "label_studio_ml.server",
        "start",
        str(folder),
        "--check",
        "--port",
        "0",
    ]
    command += ["--kwargs", "no_such_parameter=1"]
    env = {**os.environ, "MODEL_DIR": str(tmp_path)}
    run = subprocess.run(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert run.returncode == 1
    assert "no_such_parameter" in run.stdout and "listening" not in run.stdout


ARGUMENTS = "import sys\nwith open('/proc/self/cmdline') as file: print('command line:', file.read().split('\\0'))\n"


@pytest.mark.skipif(not os.path.exists("/proc/self/cmdline"), reason="there is no /proc")
def test_a_password_is_on_no_command_line(start: Start, folder: Path) -> None:
    (folder / "model.py").write_text(ARGUMENTS + MODEL)
    backend = start(folder, "--check", BASIC_AUTH_USER="user", BASIC_AUTH_PASS="very secret")
    backend.wait_for("model loaded")
    shown = re.findall("command line: .*", "".join(backend.lines))
    assert len(shown) == 2 and not any("very secret" in line for line in shown), shown


SOCKET = """
import os
import sys

folder = os.path.dirname(sys.argv[-1])
print(f"socket folder: {os.stat(folder).st_mode & 0o777:o}")
"""


def test_the_socket_of_a_worker_is_private_whatever_the_umask(start: Start, folder: Path) -> None:
    (folder / "model.py").write_text(SOCKET + MODEL)
    for umask in (0, 0o777):
        before = os.umask(umask)
        try:
            backend = start(folder)
        finally:
            os.umask(before)
        assert backend.wait_for(r"socket folder: (\d+)").group(1) == "700"


def test_workers_and_their_children_end_with_a_killed_server(start: Start, folder: Path) -> None:
    # PyDLL keeps the GIL while it sleeps, so that no other thread of the worker can notice
    # anything.
    busy = "            subprocess.Popen(['sleep', '1000'])\n            ctypes.PyDLL(None).sleep(1000)\n"
    order = '        if order == "exit":\n'
    (folder / "model.py").write_text(
        "import subprocess\n" + MODEL.replace(order, f'        if order == "busy":\n{busy}{order}')
    )
    for method in ("spawn", "fork"):
        backend = start(folder, START_METHOD=method)
        process_of(backend)
        busy_call = threading.Thread(target=predict_until_killed, args=(backend,), daemon=True)
        busy_call.start()
        backend.wait_for("noise on the standard output\n(.|\n)*noise on the standard output")
        backend.process.kill()
        backend.process.wait()
        # They hold the log's pipe open until they end.
        backend.reader.join(60)
        assert not backend.reader.is_alive(), method
        busy_call.join(60)


def predict_until_killed(backend: Backend) -> None:
    with contextlib.suppress(OSError):
        backend.predict("busy")


GATE = """
import os

with open(os.environ["GATE"]) as gate:
    exec(gate.read())
"""
EXTRA = """
    def set_extra_params(self, extra_params):
        self.set("seen", extra_params)

    def predict(self, tasks, context=None, **kwargs):
        return [self.get("seen")]
"""


def test_extra_params_reach_a_model_that_is_loaded_late(
    start: Start, folder: Path, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    (folder / "model.py").write_text(GATE + MODEL + EXTRA)
    backend = start(folder, GATE=str(gate))
    answer = backend.post("/setup", project="1.2", schema=LABEL_CONFIG, extra_params='{"a": 1}')
    assert answer == (200, {"model_version": "0.0.1"})
    gate.write_text("")
    while backend.predict() != (200, {"results": ['{"a": 1}']}):
        pass


def test_setup_tells_why_a_model_cannot_be_loaded(
    start: Start, folder: Path, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    (folder / "model.py").write_text(GATE + MODEL)
    backend = start(folder, GATE=str(gate))
    answers = []
    call = threading.Thread(
        target=lambda: answers.append(backend.post("/setup", project="1.2", schema=LABEL_CONFIG))
    )
    # Opening the gate waits until the worker imports the model.
    with gate.open("w") as opened:
        call.start()
        opened.write("import a_package_that_is_missing")
    call.join(60)
    ((status, answer),) = answers
    assert status == 503 and "a_package_that_is_missing" in answer["detail"], answer


def process_of(backend: Backend) -> int:
    status, answer = backend.predict()
    assert status == 200, answer
    return int(answer["results"][0]["result"][0]["value"]["choices"][0])


def fork_server_of(backend: Backend) -> int:
    return int(backend.wait_for(r"workers are forked from this process.*process=(\d+)").group(1))


def parent_of(process: int) -> int:
    with open(f"/proc/{process}/stat") as stat:
        return int(stat.read().rpartition(")")[2].split()[1])


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_forked_worker_that_ends_is_forked_again(
    start: Start, folder: Path, workers: str
) -> None:
    backend = start(folder, "--start-method", "fork", WORKERS=workers)
    fork_server = fork_server_of(backend)
    for order, said in [("exit", "exit code 3"), ("segfault", "segmentation fault")]:
        status, answer = backend.predict(order)
        assert status == 500 and said in answer["detail"], answer
        assert parent_of(process_of(backend)) == fork_server
    before = process_of(backend)
    os.kill(before, signal.SIGKILL)
    assert process_of(backend) != before
    assert parent_of(process_of(backend)) == fork_server
    assert backend.end() == 0


def test_workers_survive_the_fork_server(start: Start, folder: Path) -> None:
    backend = start(folder, START_METHOD="fork", WORKERS="1")
    before = process_of(backend)
    os.kill(fork_server_of(backend), signal.SIGKILL)
    backend.wait_for("the fork server was killed")
    assert process_of(backend) == before
    # No process can report how this one ends.
    os.kill(before, signal.SIGKILL)
    assert process_of(backend) != before
    assert backend.predict("exit")[0] == 500
    assert backend.predict()[0] == 200
    assert backend.end() == 0


def test_forked_workers_end_with_the_server(start: Start, folder: Path) -> None:
    backend = start(folder, START_METHOD="fork", WORKERS="1")
    process, fork_server = process_of(backend), fork_server_of(backend)
    backend.process.kill()
    backend.process.wait()
    # They hold the log's pipe open until they end.
    backend.reader.join(60)
    assert not backend.reader.is_alive(), (process, fork_server)


THREAD = "import threading\nthreading.Thread(target=threading.Event().wait, name='busy', daemon=True).start()\n"
CUDA = """
import sys
import types

sys.modules["torch"] = types.SimpleNamespace(cuda=types.SimpleNamespace(is_initialized=lambda: True))
"""


@pytest.mark.parametrize(
    "first, said", [(THREAD, r"starts threads \(busy\)"), (CUDA, "initialises CUDA")]
)
def test_a_model_that_cannot_be_forked_is_spawned(
    start: Start, folder: Path, first: str, said: str
) -> None:
    (folder / "model.py").write_text(first + MODEL)
    backend = start(folder, START_METHOD="fork", WORKERS="1")
    assert parent_of(process_of(backend)) == backend.process.pid
    backend.wait_for(
        f"workers are spawned, since they cannot be forked: importing the model {said}"
    )
    assert backend.predict("exit")[0] == 500
    assert backend.predict()[0] == 200


def test_a_model_that_cannot_be_imported_says_why_before_it_is_forked(
    start: Start, folder: Path
) -> None:
    (folder / "model.py").write_text("import a_package_that_is_missing\n")
    backend = start(folder, START_METHOD="fork")
    backend.wait_for("the model could not be loaded")
    assert "a_package_that_is_missing" in backend.get("/ready")[1]["detail"]

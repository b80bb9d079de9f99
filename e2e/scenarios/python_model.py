"""A model in Python, as `label-studio-ml create` writes it, behind the Rust server."""

import os
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from e2e.checks import check, equal
from e2e.process import wait_until
from e2e.project import Project
from e2e.stage import PYTHON_COMMAND, Stage

LABEL_CONFIG = """
<View>
  <Text name="text" value="$text"/>
  <Choices name="mood" toName="text"><Choice value="Happy"/><Choice value="Sad"/></Choices>
</View>
"""
VERSION = "NewModel-v0.0.1"


def python_model(stage: Stage) -> None:
    """Creates a Python backend, submits a choice, and expects it to be suggested, whatever happens
    to the processes.
    """
    client = stage.client

    with stage.step("a new backend is created and connects"):
        folder = Path(stage.cleanup.enter_context(tempfile.TemporaryDirectory()))
        check(
            PYTHON_COMMAND.exists(),
            f"{PYTHON_COMMAND} is missing; run scripts/install_python_package.sh",
        )
        create = [str(PYTHON_COMMAND), "create", "mood", "--root-dir", str(folder)]
        subprocess.run(create, check=True, capture_output=True, timeout=60)
        backend = stage.python_backend(folder / "mood", {"WORKERS": "2"})
        recorder = stage.recorder(backend)
        project = stage.project(LABEL_CONFIG)
        first = project.add_tasks([{"text": "What a day"}])[0]
        equal(project.connect(recorder.url)["model_version"], VERSION, "model version")
        equal(backend.get("/health").json()["status"], "UP", "health")

    with stage.step("a submitted choice is suggested by every process"):
        client.annotate(first["id"], [choice("Sad")])
        wait_until(lambda: suggested(project) == "Sad", 30, "the model has learnt")
        for _ in range(8):
            equal(suggested(project), "Sad", "suggestion")

    with stage.step("a process that is killed is replaced"):
        workers = processes_of(backend.process.pid)
        equal(len(workers), 2, "processes")
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
            equal(suggested(project), "Sad", "suggestion")
        wait_until(
            lambda: len(processes_of(backend.process.pid)) == 2, 30, "both processes are back"
        )

    with stage.step("what was learnt outlives a restart"):
        equal(backend.restart(), 0, "exit status after SIGTERM")
        equal(suggested(project), "Sad", "suggestion")

    with stage.step("no request has failed"):
        failed = [
            (call.path, call.action, call.status)
            for call in recorder.exchanges
            if call.status >= 300
        ]
        equal(failed, [], "failed requests")
        check(
            client.token not in backend.process.log_tail(10**8), "the token is in the backend's log"
        )
        equal(backend.stop(), 0, "exit status after SIGTERM")


def suggested(project: Project) -> str | None:
    """The choice suggested for a task that the project has not seen before."""
    task = project.add_tasks([{"text": "Another day"}])[0]["id"]
    project.client.retrieve_predictions(project.id, [task])
    predictions = project.predicted(task)
    return predictions[0]["result"][0]["value"]["choices"][0] if predictions else None


def processes_of(parent: int) -> list[int]:
    """The numbers of a process's children."""
    children = Path(f"/proc/{parent}/task").glob("*/children")
    return sorted({int(number) for file in children for number in file.read_text().split()})


def choice(label: str) -> dict[str, Any]:
    """The region of an annotation."""
    return {
        "from_name": "mood",
        "to_name": "text",
        "type": "choices",
        "value": {"choices": [label]},
    }

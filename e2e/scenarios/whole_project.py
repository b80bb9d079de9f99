"""The command line makes a project, connects a backend and predicts all tasks, although it is killed
meanwhile.
"""

import json
import re
import signal
import subprocess
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from e2e.checks import CheckFailed, check, equal
from e2e.images import png
from e2e.stage import Stage

IMAGES = """
<View>
  <Image name="image" value="$photo"/>
  <Choices name="mood" toName="image"><Choice value="Happy"/><Choice value="Sad"/></Choices>
</View>
"""
N_TASKS = 1000
N_KILLS = 3
KILL_SECONDS = 60


def whole_project(stage: Stage) -> None:
    """Runs `label-studio-ml init-project`, `connect` and `predict --project`."""
    folder = Path(stage.cleanup.enter_context(tempfile.TemporaryDirectory()))
    (folder / "photos").mkdir()
    (folder / "photos/a b ä.png").write_bytes(png(8, 6, (200, 90, 0)))
    (folder / "images.xml").write_text(IMAGES)
    (folder / "texts").mkdir()
    (folder / "texts/first.txt").write_text("a text, in a file")
    tasks = [{"text": f"text {number}"} for number in range(1, N_TASKS)]
    (folder / "texts/tasks.json").write_text(json.dumps(tasks))

    with stage.step("the command uploads images to a new project"):
        project = new_project(
            stage, "--label-config", str(folder / "images.xml"), str(folder / "photos")
        )
        image = stage.client.tasks(project)[0]["data"]
        check(re.fullmatch(r"/data/upload/.*\.png", image.get("photo", "")), f"task with {image}")

    with stage.step("the command makes a project for a backend"):
        backend = stage.backend("the_simplest_backend")
        project = new_project(stage, "--backend", "the_simplest_backend", str(folder / "texts"))
    connection = ["--project", str(project), "--backend-url", backend.url]

    with stage.step("the command connects the backend and predicts a task"):
        first = finished(stage, "connect", *connection)
        check("has no ML backend at" in first, f"not connected: {first}")
        check(re.search(r"^ok +prediction", first, re.MULTILINE), f"not predicted: {first}")

    with stage.step("run again, it finds nothing to do"):
        again = finished(stage, "connect", *connection)
        check(not re.search(r"^(fix|FAIL)", again, re.MULTILINE), f"changed again: {again}")

    def n_stored() -> int:
        found = stage.client.get(f"/api/projects/{project}")
        number: int = found["total_predictions_number"]
        return number

    # Small requests, so that a kill comes between two of them.
    predict = ["predict", *connection, "--store-size", "50"]
    with stage.step("predictions survive kills of the command", KILL_SECONDS * (N_KILLS + 2)):
        for kill in range(N_KILLS):
            running = start(stage, *predict)
            stage.cleanup.callback(stop, running)
            # Early enough that the rest is not stored before the kill is known.
            wanted = N_TASKS * (kill + 1) // (4 * N_KILLS)
            end = time.monotonic() + KILL_SECONDS
            while n_stored() < wanted and running.poll() is None:
                check(time.monotonic() < end, f"never {wanted} predictions")
            equal(running.poll(), None, "exit status before the kill")
            stop(running)
        check(0 < n_stored() < N_TASKS, f"{n_stored()} predictions after the kills")
        finished(stage, *predict)

    with stage.step("each task has one prediction"):
        per_task = Counter(prediction["task"] for prediction in stage.client.predictions(project))
        equal((len(per_task), set(per_task.values())), (N_TASKS, {1}), "tasks and predictions")
        equal(backend.stop(), 0, "exit status after SIGTERM")


def new_project(stage: Stage, *arguments: str) -> int:
    """Makes a project, which is deleted when the scenario ends, and returns its number."""
    said = finished(stage, "init-project", *arguments)
    number = re.match(r"made project (\d+)", said)
    if number is None:
        raise CheckFailed(f"no project: {said}")
    stage.cleanup.callback(stage.client.call, "DELETE", f"/api/projects/{number[1]}")
    return int(number[1])


def start(stage: Stage, *arguments: str) -> "subprocess.Popen[str]":
    """Starts the command line with Label Studio's address and token."""
    return subprocess.Popen(
        [stage.programs / "label-studio-ml", *arguments],
        env={
            "LABEL_STUDIO_URL": stage.label_studio.url,
            "LABEL_STUDIO_API_KEY": stage.client.token,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finished(stage: Stage, *arguments: str) -> str:
    """Runs the command line, which must succeed, and returns its output."""
    running = start(stage, *arguments)
    stage.cleanup.callback(stop, running)
    output, _ = running.communicate()
    if running.returncode:
        raise CheckFailed(f"{' '.join(arguments)}: exit status {running.returncode}: {output}")
    return output


def stop(running: "subprocess.Popen[str]") -> None:
    """Kills a command."""
    with suppress(ProcessLookupError):
        running.send_signal(signal.SIGKILL)
    running.wait()

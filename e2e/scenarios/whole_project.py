"""The command line connects a backend and predicts a whole project, although it is killed meanwhile."""

import re
import signal
import subprocess
import time
from collections import Counter
from contextlib import suppress

from e2e.checks import CheckFailed, check, equal
from e2e.stage import Stage

LABEL_CONFIG = """
<View>
  <Text name="text" value="$text"/>
  <Choices name="mood" toName="text"><Choice value="Happy"/><Choice value="Sad"/></Choices>
</View>
"""
N_TASKS = 1000
N_KILLS = 3
KILL_SECONDS = 60


def whole_project(stage: Stage) -> None:
    """Runs `label-studio-ml connect` and `label-studio-ml predict --project`."""
    with stage.step("a backend and a project with many tasks"):
        backend = stage.backend("the_simplest_backend")
        project = stage.project(LABEL_CONFIG)
        project.add_tasks([{"text": f"text {number}"} for number in range(N_TASKS)])
    connection = ["--project", str(project.id), "--backend-url", backend.url]

    with stage.step("the command connects the backend and predicts a task"):
        first = finished(stage, "connect", *connection)
        check("has no ML backend at" in first, f"not connected: {first}")
        check(re.search(r"^ok +prediction", first, re.MULTILINE), f"not predicted: {first}")

    with stage.step("run again, it finds nothing to do"):
        again = finished(stage, "connect", *connection)
        check(not re.search(r"^(fix|FAIL)", again, re.MULTILINE), f"changed again: {again}")

    def n_stored() -> int:
        found = stage.client.get(f"/api/projects/{project.id}")
        number: int = found["total_predictions_number"]
        return number

    with stage.step("predictions survive kills of the command", KILL_SECONDS * (N_KILLS + 2)):
        for kill in range(N_KILLS):
            running = start(stage, "predict", *connection)
            stage.cleanup.callback(stop, running)
            # Early enough that the rest is not stored before the kill is known.
            wanted = N_TASKS * (kill + 1) // (4 * N_KILLS)
            end = time.monotonic() + KILL_SECONDS
            while n_stored() < wanted and running.poll() is None:
                check(time.monotonic() < end, f"never {wanted} predictions")
            equal(running.poll(), None, "exit status before the kill")
            stop(running)
        check(0 < n_stored() < N_TASKS, f"{n_stored()} predictions after the kills")
        finished(stage, "predict", *connection)

    with stage.step("each task has one prediction"):
        per_task = Counter(
            prediction["task"] for prediction in stage.client.predictions(project.id)
        )
        equal((len(per_task), set(per_task.values())), (N_TASKS, {1}), "tasks and predictions")
        equal(backend.stop(), 0, "exit status after SIGTERM")


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

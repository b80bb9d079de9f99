"""Every interactive backend as an annotator meets it: in Label Studio's editor, with the label
configs of its README.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selenium.common.exceptions import WebDriverException

from e2e.backend import Backend
from e2e.browser.backends import EXAMPLES, ROOT, InteractiveBackend
from e2e.browser.chromium import Chromium
from e2e.browser.editor import Editor
from e2e.browser.gestures import Gesture, gestures, task_data
from e2e.checks import CheckFailed, check, equal
from e2e.mock_service import of_example
from e2e.process import wait_until
from e2e.project import Project, Result
from e2e.recorder import Exchange, Recorder
from e2e.stage import Stage

SCREENSHOT = "label-studio.png"
# Regions that are drawn on an object, and that the list of regions names.
DRAWN = ("labels", "brush", "ellipse", "keypoint", "polygon", "rectangle")


@dataclass(frozen=True)
class Screen:
    """A backend and the browser in front of it."""

    stage: Stage
    about: InteractiveBackend
    recorder: Recorder
    chromium: Chromium


def label_in_browser(stage: Stage, about: InteractiveBackend) -> None:
    """Labels a task with each label config of a README."""
    with step(stage, "the backend and a browser start"):
        check(about.label_configs, "its README has no label config")
        backend = start(stage, about)
        recorder = stage.recorder(backend)
        chromium = stage.chromium()
    screen = Screen(stage, about, recorder, chromium)
    screenshot = EXAMPLES / about.name / SCREENSHOT if stage.screenshots else None
    for label_config in about.label_configs:
        label(screen, label_config, screenshot)
        screenshot = None
    with step(stage, "no request has failed"):
        failed = [call.path for call in recorder.exchanges if call.status >= 300]
        equal(failed, [], "failed requests")
        equal(backend.stop(), 0, "exit status after SIGTERM")


@contextmanager
def step(stage: Stage, what: str) -> Iterator[None]:
    """A step that fails when the browser cannot do what it should."""
    with stage.step(what):
        try:
            yield
        except WebDriverException as error:
            raise CheckFailed(f"the browser: {error.msg}") from error


def start(stage: Stage, about: InteractiveBackend) -> Backend:
    """Starts the backend on the models of its tests, and the service that it calls, if any."""
    environment = {"ORT_DYLIB_PATH": str(ROOT / ".ort")}
    if about.has_service:
        environment |= stage.cleanup.enter_context(of_example(about.name)).environment
    return stage.backend(about.name, environment | about.settings)


def label(screen: Screen, label_config: str, screenshot: Path | None) -> None:
    """Does all that a label config invites to, each in its own project."""
    for gesture in gestures(label_config, screen.about.prompt):
        play(screen, label_config, gesture, screenshot)
        screenshot = None


def play(screen: Screen, label_config: str, gesture: Gesture, screenshot: Path | None) -> None:
    """Makes one gesture, looks at the screen, and submits what came of it."""
    with step(screen.stage, f"{gesture.what} puts the answer on the screen"):
        project, task = prepare(screen, label_config)
        editor = Editor(screen.chromium, project.id, task)
        answer = interactive_answer(screen.recorder, editor, gesture)
        wait_until(lambda: missing(editor, answer) is None, 60, "the answer is on the screen")
        if screenshot:
            editor.screenshot(screenshot)
    with step(screen.stage, f"what came of {gesture.what} is submitted"):
        editor.accept()
        editor.submit()
        wait_until(lambda: stored(project, task), 60, "the annotation is stored")
        kept = {region["from_name"] for region in stored(project, task)}
        wanted = {region["from_name"] for region in answer}
        check(wanted <= kept, f"of {sorted(wanted)} the annotation keeps {sorted(kept)}")


def prepare(screen: Screen, label_config: str) -> tuple[Project, int]:
    """A project with one task, connected to the backend."""
    project = screen.stage.project(label_config)
    if "<Image" in label_config:
        image = screen.about.image
        if image is None:
            raise CheckFailed("e2e/browser.json of the example names no image")
        project.upload_image(image.name, image.read_bytes())
    else:
        project.add_tasks([task_data(label_config, screen.about)])
    project.connect(screen.recorder.url)
    project.update_connection(is_interactive=True)
    return project, project.client.tasks(project.id)[-1]["id"]


def interactive_answer(recorder: Recorder, editor: Editor, gesture: Gesture) -> Result:
    """Makes a gesture; the regions that the backend answers with."""
    mark = recorder.mark()
    gesture.play(editor)
    call = wait_until(lambda: interactive_calls(recorder, mark), 60, "the backend is asked")[0]
    context = call.request["params"]["context"]["result"]
    controls = [region["from_name"] for region in context]
    check(gesture.control in controls, f"the backend was asked about {controls}")
    equal(call.status, 200, "status of the answer")
    regions: Result = call.response["results"][0]["result"]
    check(regions, "the answer holds no region")
    return regions


def interactive_calls(recorder: Recorder, mark: int) -> list[Exchange]:
    """The calls with an interactive context after a mark."""
    calls = recorder.since(mark, "/predict")
    return [call for call in calls if call.request["params"]["context"]]


def missing(editor: Editor, answer: Result) -> dict[str, Any] | None:
    """The first region of an answer that the annotator does not see."""
    results, ids = editor.results()
    controls = {result["from_name"] for result in results}
    drawn = {region["id"] for region in answer if region["type"].startswith(DRAWN)}
    shown = " ".join(editor.shown().split())

    def is_seen(region: dict[str, Any]) -> bool:
        kind, value = region["type"], region["value"]
        if region.get("id") in drawn:  # also the text of a region
            return region["id"] in ids
        if kind == "choices":
            return all(map(editor.is_chosen, value["choices"]))
        if kind == "textarea":
            return all(" ".join(text.split()) in shown for text in value["text"])
        return region["from_name"] in controls

    return next((region for region in answer if not is_seen(region)), None)


def stored(project: Project, task: int) -> Result:
    """The regions of the first annotation of a task."""
    annotations = project.client.get(f"/api/tasks/{task}")["annotations"]
    result: Result = annotations[0]["result"] if annotations else []
    return result

"""The dashboard of a backend in a browser: what it shows, and that nothing hostile runs in it."""

import base64
import json
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import requests
from selenium.webdriver import Keys
from selenium.webdriver.common.by import By

from e2e.backend import Backend
from e2e.browser.backends import ROOT
from e2e.browser.hostile import HOSTILE, be_hostile
from e2e.browser.page import Page
from e2e.browser.scenario import step
from e2e.checks import check, equal, status
from e2e.project import Project
from e2e.recorder import Recorder
from e2e.stage import Stage

LABEL_CONFIG = """<View>
  <Image name="image" value="$image"/>
  <RectangleLabels name="box" toName="image">
    <Label value="Shape" background="#c11574"/>
  </RectangleLabels>
  <Text name="text" value="$text"/>
  <Labels name="word" toName="text"><Label value="First" background="#039855"/></Labels>
  <Choices name="mood" toName="text" showInLine="true">
    <Choice value="Happy"/><Choice value="Sad"/>
  </Choices>
</View>"""
TEXT = "Na\N{LATIN SMALL LETTER I WITH DIAERESIS}ve \N{CAT FACE} is good"
IMAGE = ROOT / "examples/tesseract/tests/fixtures/shapes.png"
SCREENSHOT = ROOT / "docs/dashboard.png"
AUTH = {"BASIC_AUTH_USER": "ann", "BASIC_AUTH_PASS": "secret"}
REGIONS = "return document.querySelectorAll('.lsf-outliner-item, .lsf-tree__node').length > 1"
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
WIDTHS = "return [document.documentElement.scrollWidth, innerWidth]"
BACKGROUND = "return getComputedStyle(document.body).backgroundColor"


def dashboard(stage: Stage) -> None:
    """Looks at each view of the dashboard and uses it."""
    with step(stage, "the backend starts with Label Studio's editor"):
        folder = Path(stage.cleanup.enter_context(tempfile.TemporaryDirectory()))
        editor = {"DASHBOARD_EDITOR": str(get_editor(folder / "editor"))}
        backend = stage.backend("the_simplest_backend", editor | {"FIT_SECONDS": "8"})
        project = stage.project(LABEL_CONFIG)
        project.connect(backend.url)
        requests.post(backend.url + "/predict", json={"tasks": 1}, timeout=10)
        stage.chromium().driver.get_log("browser")

    with step(stage, "the overview shows the model, its project and the latest errors"):
        page = Page(stage.chromium(), backend.url)
        page.wait_for_text("#projects", str(project.id))
        page.wait_for_text("#failures", "400 /predict")
        page.wait_for_text("#failures", "compare the label config")

    with step(stage, "a training is watched, cancelled and run again"):
        train(page, backend, project)

    with step(stage, "the model is tried, and the answer is shown as annotators see it"):
        page.open_view("Try it")
        page.choose_project(project.id)
        try_model(page)
        if stage.screenshots:
            page.driver.set_window_size(1300, 1000)
            page.screenshot(SCREENSHOT)

    with step(stage, "without the editor, shapes and marks show the answer"):
        page.chromium.run("document.getElementById('try-plain').checked = true")
        page.press("#try-form", "Predict")
        page.chromium.wait_for("return document.querySelector('.stage rect') !== null", "a box")
        marked = "return document.querySelector('mark')?.firstChild.data"
        equal(page.chromium.run(marked), TEXT.split(maxsplit=1)[0], "the marked word")

    with step(stage, "the page follows the browser's dark mode and fits a phone"):
        light = page.chromium.run(BACKGROUND)
        dark = [{"name": "prefers-color-scheme", "value": "dark"}]
        page.emulate("setEmulatedMedia", features=dark)
        check(page.chromium.run(BACKGROUND) != light, "dark and light look the same")
        page.emulate("setEmulatedMedia", features=[])
        page.emulate("setDeviceMetricsOverride", **PHONE)
        for name in ("Overview", "Jobs", "Try it"):
            page.open_view(name)
            needed, width = page.chromium.run(WIDTHS)
            check(needed <= width, f"{name} is {needed} pixels wide on a screen of {width}")
        page.emulate("clearDeviceMetricsOverride")

    with step(stage, "the keyboard reaches everything"):
        page = Page(stage.chromium(), backend.url)
        page.open_view("Try it")
        page.driver.refresh()
        names = ["Overview", "Jobs", "Try it", "Routes", "try-project", "try-config", "try-task"]
        equal(page.focused(len(names)), names, "what Tab reaches")

    with step(stage, "no style, script or request was refused, and no file was missing"):
        log = [entry["message"] for entry in page.driver.get_log("browser")]
        equal(log, [], "the browser's log")

    with step(stage, f"{len(HOSTILE)} hostile texts do nothing"):
        be_hostile(backend, page.chromium)
        equal(backend.stop(), 0, "exit status after SIGTERM")

    with step(stage, "it works with a password, below a path of a reverse proxy"):
        behind_proxy(stage, stage.backend("the_simplest_backend", editor | AUTH))


def train(page: Page, backend: Backend, project: Project) -> None:
    """Looks at trainings, cancels one and runs one again."""
    page.open_view("Jobs")
    event = {"action": "START_TRAINING", "project": {"id": project.id}}
    for state in ("running", "pending"):
        status(requests.post(backend.url + "/webhook", json=event, timeout=10), 201)
        page.wait_for_text("#jobs", state)
    page.press("#jobs", "Cancel")
    page.wait_for_text("#jobs", "cancelled")
    page.wait_for_text("#jobs", "done")
    page.press("#jobs", "Retry")
    page.press("#jobs", "Log")
    page.wait_for_text("#job-log-title", "Log of job")
    page.press("#job-log", "Close the log")
    page.wait_for_text("#jobs", "running")


def try_model(page: Page) -> None:
    """Asks the model about a task, and looks at the answer in Label Studio's editor."""
    page.fill_in("try-task", json.dumps({"image": data_url(IMAGE), "text": TEXT}, indent=1))
    page.driver.find_element(By.ID, "try-predict").send_keys(Keys.ENTER)
    page.wait_for_text("#try-status", "answered in")
    page.enter_editor()
    page.wait_for_text("body", "Happy")
    page.chromium.wait_for(REGIONS, "the regions are listed")
    page.leave_editor()


def behind_proxy(stage: Stage, backend: Backend) -> None:
    """Uses the dashboard of a backend that asks for a password, as its users reach it."""
    proxy = stage.cleanup.enter_context(Recorder(backend.url, prefix="/models/simple"))
    user, password = AUTH["BASIC_AUTH_USER"], AUTH["BASIC_AUTH_PASS"]
    page = Page(stage.chromium(), proxy.url.replace("//", f"//{user}:{password}@"))
    project = stage.project(LABEL_CONFIG)
    project.connect(backend.url, (user, password))
    task = project.add_tasks([{"image": data_url(IMAGE), "text": TEXT}])[0]["id"]
    page.driver.get_log("browser")
    page.open_view("Try it")
    page.choose_project(project.id)
    page.driver.find_element(By.ID, "try-task-id").send_keys(str(task))
    page.press("#try-form", "Load")
    loaded = "return document.getElementById('try-task').value.includes('data:image')"
    page.chromium.wait_for(loaded, "the task of Label Studio is loaded")
    try_model(page)
    equal(page.driver.get_log("browser"), [], "the browser's log")
    # A browser gives the password once it was asked for it.
    answered = {call.path for call in proxy.exchanges if call.status < 400}
    refused = {call.path for call in proxy.exchanges if call.status >= 400}
    equal(refused - answered, set(), "requests that were only refused")


def get_editor(folder: Path) -> Path:
    """The editor's files, out of the Label Studio that the tests use."""
    script = ROOT / "scripts/get_dashboard_editor.py"
    subprocess.run(
        [sys.executable, str(script), str(folder), "--package", sysconfig.get_path("purelib")],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return folder


def data_url(file: Path) -> str:
    """An image within an address."""
    return "data:image/png;base64," + base64.b64encode(file.read_bytes()).decode()

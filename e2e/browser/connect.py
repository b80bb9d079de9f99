"""The dialog that connects a backend, and what it says about one that does not fit."""

from selenium.webdriver.common.by import By

from e2e.browser.chromium import Chromium
from e2e.browser.scenario import step
from e2e.stage import Stage

UNFIT = """
<View>
  <Image name="image" value="$image"/>
  <BrushLabels name="mask" toName="image"><Label value="Cat"/></BrushLabels>
</View>
"""
REASON = "label config has no Choices control on a Text object"
BUTTON = """
return [...document.querySelectorAll('button')]
  .find(button => button.innerText.trim() === arguments[0]);
"""


def connect_dialog(stage: Stage) -> None:
    """Connects a backend for texts to a project on images."""
    with step(stage, "the dialog says why a backend does not fit the label config"):
        recorder = stage.recorder(stage.backend("sklearn_text_classifier"))
        project = stage.project(UNFIT)
        chromium = stage.chromium()
        chromium.open(f"/projects/{project.id}/settings/ml")
        press(chromium, "Connect Model")
        chromium.wait_for("return document.querySelector('input[name=url]')", "the dialog is open")
        chromium.driver.find_element(By.NAME, "title").send_keys("for texts")
        chromium.driver.find_element(By.NAME, "url").send_keys(recorder.url)
        press(chromium, "Validate and Save")
        said = "return document.body.innerText.includes(arguments[0])"
        chromium.wait_for(said, f"the dialog says: {REASON}", REASON)


def press(chromium: Chromium, text: str) -> None:
    """Presses a button once it is there."""
    chromium.wait_for(BUTTON, f"there is a button {text}", text).click()

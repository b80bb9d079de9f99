"""The dashboard's page in a browser."""

from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from selenium.webdriver import ActionChains, Keys

from e2e.browser.chromium import Chromium

N_COLOURS = 128
# The editor's page in the dashboard's frame.
SHOWN = (
    "return document.body.dataset.shown && document.querySelector('.lsf-main-view') ? true : false"
)
READY = "return document.getElementById('status')?.innerText === 'ready'"
LINK = "return [...document.querySelectorAll('nav a')].find(one => one.innerText === arguments[0])"
BUTTON = """
const button = [...document.querySelectorAll(arguments[0] + " button")]
  .find((one) => one.innerText === arguments[1] && one.offsetParent !== null && !one.disabled);
button?.click();
return button !== undefined;
"""
# Chooses the label config of a project.
CHOOSE = """
const select = document.getElementById("try-project");
if (![...select.options].some((option) => option.value === arguments[0])) return false;
select.value = arguments[0];
select.dispatchEvent(new Event("change"));
return true;
"""


class Page:
    """The page at the address of a backend."""

    def __init__(self, chromium: Chromium, url: str) -> None:
        """Opens it."""
        self.chromium, self.driver = chromium, chromium.driver
        self.driver.get(url + "/")
        chromium.wait_for(READY, "ready")

    def open_view(self, name: str) -> None:
        """Chooses a view in the navigation."""
        self.chromium.wait_for(LINK, f"there is a link {name}", name).click()

    def press(self, within: str, text: str) -> None:
        """Presses the first visible button with a text."""
        self.chromium.wait_for(BUTTON, f"there is a button {text}", within, text)

    def wait_for_text(self, selector: str, text: str) -> None:
        """Waits until an element shows a text."""
        script = (
            "return (document.querySelector(arguments[0])?.innerText ?? '').includes(arguments[1])"
        )
        self.chromium.wait_for(script, f"{selector} shows {text}", selector, text)

    def choose_project(self, project: int) -> None:
        """Chooses the label config of a project, to try the model with."""
        self.chromium.wait_for(CHOOSE, "the project can be chosen", str(project))
        config = "return document.getElementById('try-config').value"
        self.chromium.wait_for(config, "its label config is there")

    def fill_in(self, field: str, text: str) -> None:
        """Puts a text into a field, whatever its length."""
        self.chromium.run("document.getElementById(arguments[0]).value = arguments[1]", field, text)

    def enter_editor(self) -> None:
        """Turns to the page of Label Studio's editor, once it has drawn the task."""
        frame = self.chromium.wait_for("return document.querySelector('iframe')", "a frame")
        self.driver.switch_to.frame(frame)
        self.chromium.wait_for(SHOWN, "the editor has drawn the task", seconds=110)

    def leave_editor(self) -> None:
        """Turns back to the dashboard."""
        self.driver.switch_to.default_content()

    def focused(self, n_steps: int) -> list[str]:
        """What has the focus after each press of Tab: a link's text, a field's id."""
        script = "const e = document.activeElement; return e.tagName === 'A' ? e.innerText : e.id"
        reached: list[str] = []
        for _ in range(n_steps):
            ActionChains(self.driver).send_keys(Keys.TAB).perform()
            reached.append(self.chromium.run(script))
        return reached

    def emulate(self, command: str, **settings: Any) -> None:
        """Sets what the browser claims to be: a command of Chromium's domain `Emulation`."""
        self.driver.execute_cdp_cmd(f"Emulation.{command}", settings)

    def screenshot(self, file: Path) -> None:
        """Writes how the page looks, as a small PNG."""
        whole = Image.open(BytesIO(self.driver.get_screenshot_as_png())).convert("RGB")
        whole.quantize(N_COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)

"""The labelling screen: what an annotator does there, and what the screen then shows."""

from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from e2e.browser.chromium import Chromium
from e2e.process import wait_until

EDITOR = ".lsf-editor"
STEP_MILLISECONDS = 50
N_COLOURS = 128
# Only what the annotator sees is asked of the page, but for this: whether it has drawn everything.
READY = """
const view = document.querySelector('.lsf-main-view');
const annotation = window.Htx?.annotationStore?.selected;
if (!view || !annotation || Htx.isLoading) return false;
const {left, top, width, height} = view.getBoundingClientRect();
const covering = document.elementFromPoint(left + width / 2, top + height / 2);
return Boolean(covering?.closest('.lsf-editor'))
  && annotation.objects.every(object => object.isReady !== false)
  && [...view.querySelectorAll('img')].every(image => image.complete && image.naturalWidth > 0);
"""
# The box of the first place where a text stands in the task's object.
WORD = """
const walker = document.createTreeWalker(document.querySelector('.lsf-main-view'),
  NodeFilter.SHOW_TEXT);
for (let node = walker.nextNode(); node; node = walker.nextNode()) {
  const start = node.data.indexOf(arguments[0]);
  if (start < 0 || !node.parentElement.closest('[class*=richtext]')) continue;
  const range = document.createRange();
  range.setStart(node, start);
  range.setEnd(node, start + arguments[0].length);
  const {left, top, width, height} = range.getBoundingClientRect();
  return [left, top, width, height];
}
return null;
"""
# The box of the image on its canvas.
IMAGE = """
const {left, top, width, height} =
  document.querySelector('.lsf-main-view .konvajs-content').getBoundingClientRect();
return [left, top, width, height];
"""
# The task and its control tags, without the empty space below them.
CONTENT = """
const view = document.querySelector('.lsf-main-view');
const {left, top, right} = view.getBoundingClientRect();
const bottoms = [...view.querySelectorAll('.lsf-main-view__annotation *')]
  .filter(element => element.children.length === 0 || element.tagName === 'CANVAS')
  .map(element => element.getBoundingClientRect()).filter(box => box.height > 0)
  .map(box => box.bottom);
return [left, top, right, Math.max(...bottoms) + 16];
"""
SMART_TOOLS = """
return Htx.annotationStore.selected.objects.map(object => object.getToolsManager?.())
  .flatMap(manager => manager?.allTools() ?? []).filter(tool => tool.dynamic)
  .map(tool => tool.fullName);
"""
CHOSEN_TOOL = """
return Htx.annotationStore.selected.objects.map(object => object.getToolsManager?.())
  .map(manager => manager?.findSelectedTool()?.fullName).find(Boolean);
"""
RESULTS = """
const annotation = Htx.annotationStore.selected;
const regions = [...annotation.suggestions.values(), ...annotation.regions];
const ids = regions.map(region => region.cleanId ?? region.id);
return [annotation.serializeAnnotation(), ids];
"""


@dataclass(frozen=True)
class Box:
    """A rectangle of the window, in its pixels."""

    left: float
    top: float
    width: float
    height: float

    def at(self, x: float, y: float) -> tuple[int, int]:
        """The point at these shares of width and height."""
        return round(self.left + x * self.width), round(self.top + y * self.height)


class Editor:
    """One task that is open in the labelling screen."""

    def __init__(self, chromium: Chromium, project: int, task: int) -> None:
        """Opens the task and switches on *Auto-Annotation*."""
        self.chromium = chromium
        # As for an annotator who has not been here before: the editor remembers the last tool.
        chromium.run("localStorage.clear()")
        chromium.open(f"/projects/{project}/data?task={task}")
        chromium.wait_for(READY, "the task is drawn")
        wait_until(self._auto_annotation, 60, "Auto-Annotation is on")

    def pick(self, group: int) -> None:
        """Picks the first label of a control tag, which is the `group`-th that has labels."""
        labels = self._all(".lsf-main-view .lsf-labels")[group]
        labels.find_element(By.CSS_SELECTOR, ".lsf-label").click()

    def smart_tool(self, kind: str) -> None:
        """Chooses a smart tool (`KeyPoint`, `Rectangle`) in the tool bar, under *Auto-Detect*."""
        wait_until(lambda: self._choose_tool(kind), 60, f"the smart tool {kind} is chosen")

    def click_image(self, x: float, y: float) -> None:
        """Clicks on the image, at shares of its width and height."""
        self._pointer([self._image().at(x, y)])

    def draw_rectangle(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Draws a rectangle on the image from one corner to the opposite one."""
        image = self._image()
        middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        self._pointer([image.at(*point) for point in (start, middle, end)])

    def select(self, word: str) -> None:
        """Selects a word of the task's text with the mouse."""
        box = Box(*self.chromium.wait_for(WORD, f"{word} is on the screen", word))
        self._pointer([box.at(x, 0.5) for x in (0, 0.5, 1)])

    def type(self, control: str, text: str) -> None:
        """Types into a text area and adds the text: with *Add* where the area has that button."""
        area = self._one(f".lsf-main-view [name='{control}']")
        area.click()
        area.send_keys(text)
        form = area.find_element(By.XPATH, "ancestor::form")
        buttons = form.find_elements(By.XPATH, ".//button[normalize-space()='Add']")
        if buttons:
            buttons[0].click()
        else:
            area.send_keys(Keys.SHIFT, Keys.ENTER)

    def choose(self, choice: str) -> None:
        """Chooses one of the choices."""
        self._one(f".lsf-main-view input[name='{choice}']").click()

    def is_chosen(self, choice: str) -> bool:
        """Whether a choice is ticked."""
        return bool(self._one(f".lsf-main-view input[name='{choice}']").is_selected())

    def accept(self) -> None:
        """Accepts the suggestions; those on texts are accepted without a question."""
        for button in self._all("[data-testid=bottombar-accept-suggestions-button]"):
            button.click()

    def submit(self) -> None:
        """Submits the annotation."""
        self._one("[data-testid=bottombar-submit-button]").click()

    def results(self) -> tuple[list[dict[str, Any]], list[str]]:
        """What the annotation holds, and the ids of the regions that are drawn, suggested ones
        included.
        """
        results, ids = self.chromium.run(RESULTS)
        return results, ids

    def shown(self) -> str:
        """All text that the editor shows, that of text areas included."""
        text: str = self.chromium.run(
            "return document.querySelector(arguments[0]).innerText", EDITOR
        )
        return text

    def screenshot(self, file: Path) -> None:
        """Writes how the task and its control tags look, as a small PNG."""
        left, top, right, bottom = map(round, self.chromium.run(CONTENT))
        whole = Image.open(BytesIO(self.chromium.driver.get_screenshot_as_png()))
        part = whole.convert("RGB").crop((left, top, right, bottom))
        part.quantize(N_COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)

    def _auto_annotation(self) -> bool:
        # The screen is still being built when it first shows the switch, and may replace it.
        with suppress(StaleElementReferenceException, NoSuchElementException):
            toggle = self._one("[data-testid=bottombar-auto-annotation-toggle]")
            if not toggle.is_selected():
                toggle.click()
        return bool(self.chromium.run("return Htx.autoAnnotation"))

    def _choose_tool(self, kind: str) -> bool:
        tools: list[str] = self.chromium.run(SMART_TOOLS)
        place = tools.index(f"{kind}Tool-dynamic")
        with suppress(StaleElementReferenceException, NoSuchElementException):
            tool = self._one(".lsf-toolbar__group > .lsf-tool_smart")
            ActionChains(self.chromium.driver).move_to_element(tool).perform()
            self._all(".lsf-toolbar__smart .lsf-tool")[place].click()
        return bool(self.chromium.run(CHOSEN_TOOL) == tools[place])

    def _image(self) -> Box:
        return Box(*self.chromium.run(IMAGE))

    def _pointer(self, points: list[tuple[int, int]]) -> None:
        """Presses the mouse button at the first point and releases it at the last one."""
        actions = ActionChains(self.chromium.driver, duration=STEP_MILLISECONDS)
        pointer = actions.w3c_actions.pointer_action
        pointer.move_to_location(*points[0]).pointer_down()
        for point in points[1:]:
            pointer.move_to_location(*point)
        pointer.pointer_up()
        actions.perform()

    def _one(self, selector: str) -> WebElement:
        return self.chromium.driver.find_element(By.CSS_SELECTOR, selector)

    def _all(self, selector: str) -> list[WebElement]:
        found: list[WebElement] = self.chromium.driver.find_elements(By.CSS_SELECTOR, selector)
        return found

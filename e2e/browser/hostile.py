"""Texts that would run as scripts in a page that showed them as HTML."""

import json
from pathlib import Path
from xml.sax.saxutils import quoteattr

import requests

from e2e.backend import Backend
from e2e.browser.chromium import Chromium
from e2e.browser.page import Page
from e2e.checks import check, equal

HOSTILE: list[str] = json.loads(Path(__file__).with_name("hostile.json").read_text("utf-8"))
# Gives hostile texts to all views, in the page itself.
SHOW_HOSTILE = Path(__file__).with_name("hostile.js").read_text("utf-8")


def be_hostile(backend: Backend, chromium: Chromium) -> None:
    """Puts scripts everywhere: into label configs, tasks, regions, jobs, versions and errors."""
    check(len(HOSTILE) >= 30, "there are fewer than 30 texts")
    for number, text in enumerate(HOSTILE):
        shown = text.replace("\0", "")
        choice = f"<Choice value={quoteattr(shown)}/>"
        config = f"""<View><Text name="t" value="$text"/>
          <Choices name="c" toName="t">{choice}</Choices></View>"""
        task = {"id": number, "data": {"text": shown}}
        body = {"tasks": [task], "project": f"{number} {shown}", "label_config": config}
        requests.post(backend.url + "/predict", json=body, timeout=10)
        requests.post(backend.url + "/predict", json={"tasks": shown}, timeout=10)
    page = Page(chromium, backend.url)
    # The id of a project ends before a dot.
    page.wait_for_text("#projects", HOSTILE[0].partition(".")[0])
    equal(page.driver.execute_async_script(SHOW_HOSTILE, HOSTILE), "shown", "all views")
    for text in HOSTILE[:3]:
        page.wait_for_text("body", text)
    check_inert(chromium)
    for editor_field, config in label_configs().items():
        try_hostile(Page(chromium, backend.url), editor_field, config)


def label_configs() -> dict[str, str]:
    """Label configs whose labels are hostile, by the field of the text that they label."""
    labels = "".join(f"<Label value={quoteattr(text.replace(chr(0), ''))}/>" for text in HOSTILE)
    return {
        "text": f'<View><Text name="t" value="$text"/><Labels name="l" toName="t">{labels}'
        "</Labels></View>",
        # Label Studio shows its texts as HTML.
        "html": f'<View><HyperText name="t" value="$html"/><HyperTextLabels name="l" toName="t">'
        f"{labels}</HyperTextLabels></View>",
    }


def try_hostile(page: Page, field: str, config: str) -> None:
    """Tries the model on a hostile task, and shows the answer in Label Studio's editor."""
    page.open_view("Try it")
    page.fill_in("try-config", config)
    page.fill_in("try-task", json.dumps({field: " ".join(HOSTILE)}))
    page.press("#try-form", "Predict")
    page.wait_for_text("#try-status", "answered in")
    page.enter_editor()
    check_inert(page.chromium)
    page.leave_editor()
    check_inert(page.chromium)


def check_inert(chromium: Chromium) -> None:
    """Fails when one of the texts has run."""
    equal(chromium.run("return window.pwned ?? null"), None, "the script that has run")
    ours = "return [...document.scripts].filter(s => !s.src.startsWith(location.origin)).length"
    equal(chromium.run(ours), 0, "scripts of others")

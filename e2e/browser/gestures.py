"""What an annotator does with a label config to get an answer from an interactive backend."""

import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from e2e.browser.backends import InteractiveBackend
from e2e.browser.editor import Editor
from e2e.checks import CheckFailed

SENTENCE = "An apple is a fruit, Apple is a company, and the pineapple is no apple."
WORD = "apple"
DIALOGUE = [
    ("Customer", "I want my money back, the invoice is wrong."),
    ("Support", "You get a refund today."),
]


@dataclass(frozen=True)
class Gesture:
    """One thing that an annotator does; a call of the backend follows."""

    what: str
    control: str
    """Name of the control tag that it is done with."""
    play: Callable[[Editor], object]


def gestures(label_config: str, prompt: str) -> list[Gesture]:
    """Those that a label config invites to: with all its smart tools, else a prompt or a word."""
    tags = list(ET.fromstring(label_config).iter())
    groups = [tag for tag in tags if tag.tag.endswith("Labels")]
    smart = [tag for tag in tags if tag.get("smart") == "true" and "Labels" in tag.tag]
    if smart:
        return [smart_tool(tag, groups.index(tag)) for tag in smart]
    areas = [tag for tag in tags if tag.tag == "TextArea"]
    areas.sort(key=lambda tag: not tag.get("name", "").startswith("prompt"))
    if areas:
        name = areas[0].get("name", "")
        return [Gesture(f"typing into {name}", name, lambda editor: editor.type(name, prompt))]
    if groups:
        return [Gesture(f"selecting {WORD!r}", groups[0].get("name", ""), select)]
    choices = next(tag for tag in tags if tag.tag == "Choices")
    choice = next(choices.iter("Choice")).get("value", "")
    return [
        Gesture(f"choosing {choice}", choices.get("name", ""), lambda editor: editor.choose(choice))
    ]


def smart_tool(tag: ET.Element, group: int) -> Gesture:
    """A click or a rectangle with the smart tool of a control tag."""
    name, kind = tag.get("name", ""), tag.tag.removesuffix("Labels")

    def play(editor: Editor) -> None:
        editor.pick(group)
        editor.smart_tool(kind)
        if kind == "KeyPoint":
            editor.click_image(0.4, 0.4)
        else:
            editor.draw_rectangle((0.05, 0.1), (0.6, 0.7))

    return Gesture(f"a smart {kind} of {name}", name, play)


def select(editor: Editor) -> None:
    """Labels a word of the text."""
    editor.pick(0)
    editor.select(WORD)


def task_data(label_config: str, backend: InteractiveBackend) -> dict[str, Any]:
    """The fields that a label config shows, those of images left out."""
    return dict(fields(label_config)) | backend.data


def fields(label_config: str) -> Iterator[tuple[str, Any]]:
    """A value for each object tag."""
    for tag in ET.fromstring(label_config).iter():
        value = tag.get("value", "")
        if tag.get("toName") or not value.startswith("$"):
            continue
        if tag.tag in {"Text", "HyperText"}:
            yield value[1:], SENTENCE
        elif tag.tag == "Paragraphs":
            keys = tag.get("nameKey", "author"), tag.get("textKey", "text")
            yield value[1:], [dict(zip(keys, line, strict=True)) for line in DIALOGUE]
        elif tag.tag == "Audio":
            yield value[1:], ""
        elif tag.tag != "Image":
            raise CheckFailed(f"the browser tests have no data for a <{tag.tag}>")

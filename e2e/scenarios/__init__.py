"""The scenarios, in the order they are played: name, the kind of token that all users have, and
the function.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from e2e.browser.backends import InteractiveBackend, interactive_backends
from e2e.scenarios.basic_auth import basic_auth
from e2e.scenarios.easyocr import easyocr
from e2e.scenarios.encoders import bert_classifier, gliner, huggingface_ner
from e2e.scenarios.entities import flair, spacy
from e2e.scenarios.exports import exports
from e2e.scenarios.found_objects import grounding_dino, grounding_sam, mmdetection, yolo
from e2e.scenarios.images import images
from e2e.scenarios.llm_interactive import llm_interactive
from e2e.scenarios.ppocr import ppocr
from e2e.scenarios.python_model import python_model
from e2e.scenarios.services import deepgram, docling, langchain_search_agent, watsonx_llm
from e2e.scenarios.smart_masks import segment_anything, segment_anything_2
from e2e.scenarios.substring_matching import substring_matching
from e2e.scenarios.tesseract import tesseract
from e2e.scenarios.text import text
from e2e.scenarios.text_classifier import text_classifier
from e2e.scenarios.time_series import time_series
from e2e.scenarios.whole_project import whole_project
from e2e.stage import Stage


@dataclass(frozen=True)
class Scenario:
    """One story; with `personal_token` it is told while legacy tokens are switched off."""

    name: str
    play: Callable[[Stage], None]
    personal_token: bool = False
    needs: tuple[int, ...] = ()
    """The oldest Label Studio that it can be told with."""

    def fits(self, release: str) -> bool:
        """Whether a Label Studio has what the story needs; personal tokens came with 1.17."""
        needs = max(self.needs, (1, 17) if self.personal_token else ())
        return tuple(map(int, re.findall(r"\d+", release)[:2])) >= needs


def browser(backend: InteractiveBackend) -> Scenario:
    """The story of one interactive backend in a browser."""

    def play(stage: Stage) -> None:
        # Imports selenium, which is installed beside the newest Label Studio only.
        from e2e.browser.scenario import label_in_browser

        label_in_browser(stage, backend)

    return Scenario(f"browser-{backend.name}", play, needs=(1, 23))


def connect_dialog(stage: Stage) -> None:
    """The story of a backend that does not fit, in a browser."""
    from e2e.browser.connect import connect_dialog as play

    play(stage)


def dashboard(stage: Stage) -> None:
    """The story of a backend's own page, in a browser."""
    from e2e.browser.dashboard import dashboard as play

    play(stage)


SCENARIOS = [
    Scenario("text", text),
    Scenario("images", images),
    Scenario("basic-auth", basic_auth),
    Scenario("whole-project", whole_project),
    Scenario("substring-matching", substring_matching),
    Scenario("text-classifier", text_classifier),
    Scenario("bert-classifier", bert_classifier),
    Scenario("huggingface-ner", huggingface_ner),
    Scenario("gliner", gliner),
    Scenario("spacy", spacy),
    Scenario("flair", flair),
    Scenario("time-series", time_series),
    Scenario("python-model", python_model),
    Scenario("llm-interactive", llm_interactive),
    Scenario("watsonx-llm", watsonx_llm),
    Scenario("langchain-search-agent", langchain_search_agent),
    Scenario("deepgram", deepgram),
    Scenario("docling", docling),
    Scenario("segment-anything", segment_anything),
    Scenario("segment-anything-2", segment_anything_2),
    Scenario("yolo", yolo),
    Scenario("mmdetection-3", mmdetection),
    Scenario("grounding-dino", grounding_dino),
    Scenario("grounding-sam", grounding_sam),
    Scenario("exports", exports),
    Scenario("tesseract", tesseract),
    Scenario("easyocr", easyocr),
    Scenario("ppocr", ppocr),
    Scenario("text-personal-token", text, personal_token=True),
    Scenario("images-personal-token", images, personal_token=True),
    Scenario("deepgram-personal-token", deepgram, personal_token=True),
    Scenario("text-classifier-personal-token", text_classifier, personal_token=True),
    Scenario("browser-connect-dialog", connect_dialog, needs=(1, 23)),
    Scenario("browser-dashboard", dashboard, needs=(1, 23)),
    *map(browser, interactive_backends()),
]

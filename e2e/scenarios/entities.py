"""Entities of texts, found with small pipelines of spaCy and Flair."""

import json
from pathlib import Path
from typing import Any

from e2e.checks import check, equal
from e2e.stage import Stage

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
LABEL_CONFIG = """
<View>
  <Labels name="label" toName="text">
    <Label value="Person" predicted_values="PERSON,PER"/><Label value="ORG"/><Label value="DATE"/>
  </Labels>
  <Text name="text" value="$text"/>
</View>
"""
# The project has no label for places.
LABELS = {"PERSON": "Person", "PER": "Person", "ORG": "ORG", "DATE": "DATE"}
N_TEXTS = 20


def spacy(stage: Stage) -> None:
    """Retrieves predictions, and compares them with those of spaCy."""
    fixtures = EXAMPLES / "spacy" / "tests" / "fixtures"
    environment = {"SPACY_MODEL": str(fixtures / "english")}
    cases = json.loads((fixtures / "english.json").read_text(encoding="utf-8"))
    expect_entities(stage, "spacy", environment, cases)


def flair(stage: Stage) -> None:
    """Retrieves predictions, and compares them with those of Flair."""
    fixtures = EXAMPLES / "flair" / "tests" / "fixtures"
    environment = {"FLAIR_MODEL_NAME": str(fixtures / "crf")}
    cases = json.loads((fixtures / "crf.json").read_text(encoding="utf-8"))
    # Flair counts characters without those that it takes out.
    cases = [case for case in cases if case["text"] == case["cleaned"]]
    expect_entities(stage, "flair", environment, cases)


def expect_entities(
    stage: Stage, program: str, environment: dict[str, str], cases: list[dict[str, Any]]
) -> None:
    """Fails unless the stored predictions are the recorded ones; offsets count characters."""
    cases = [case for case in cases if case["text"].strip()][:N_TEXTS]
    with stage.step("texts are imported and the backend connects"):
        backend = stage.backend(program, environment)
        recorder = stage.recorder(backend)
        project = stage.project(LABEL_CONFIG)
        tasks = project.add_tasks([{"text": case["text"]} for case in cases])
        project.connect(recorder.url)

    with stage.step("each text has the entities that the library finds"):
        stage.client.retrieve_predictions(project.id)
        n_regions = 0
        for task, case in zip(tasks, cases, strict=True):
            result = project.predicted(task["id"])[0]["result"]
            values = [region["value"] for region in result]
            found = [[value["start"], value["end"], *value["labels"]] for value in values]
            expected = [
                [start, end, LABELS[label]]
                for start, end, label, *_ in case["entities"]
                if label in LABELS
            ]
            equal(found, expected, f"entities of {case['text']!r}")
            n_regions += len(found)
        check(n_regions > 0, "there are entities")
        equal([call.path for call in recorder.exchanges if call.status >= 300], [], "failures")
        equal(backend.stop(), 0, "exit status after SIGTERM")

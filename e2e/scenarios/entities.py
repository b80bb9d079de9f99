"""Entities of texts, found with a small pipeline of spaCy."""

import json
from pathlib import Path

from e2e.checks import check, equal
from e2e.stage import Stage

FIXTURES = Path(__file__).resolve().parents[2] / "examples" / "spacy" / "tests" / "fixtures"
LABEL_CONFIG = """
<View>
  <Labels name="label" toName="text">
    <Label value="Person" predicted_values="PERSON"/><Label value="ORG"/><Label value="DATE"/>
  </Labels>
  <Text name="text" value="$text"/>
</View>
"""
# The project has no label for places.
LABELS = {"PERSON": "Person", "ORG": "ORG", "DATE": "DATE"}
N_TEXTS = 20


def spacy(stage: Stage) -> None:
    """Retrieves predictions, whose offsets count characters, and compares them with spaCy's."""
    cases = json.loads((FIXTURES / "english.json").read_text(encoding="utf-8"))
    cases = [case for case in cases if case["text"].strip()][:N_TEXTS]
    with stage.step("texts are imported and the backend connects"):
        backend = stage.backend("spacy", {"SPACY_MODEL": str(FIXTURES / "english")})
        recorder = stage.recorder(backend)
        project = stage.project(LABEL_CONFIG)
        tasks = project.add_tasks([{"text": case["text"]} for case in cases])
        equal(
            project.connect(recorder.url)["model_version"],
            "SpacyMLBackend-v0.0.1",
            "model version",
        )

    with stage.step("each text has the entities that spaCy finds"):
        stage.client.retrieve_predictions(project.id)
        n_regions = 0
        for task, case in zip(tasks, cases, strict=True):
            result = project.predicted(task["id"])[0]["result"]
            values = [region["value"] for region in result]
            found = [[value["start"], value["end"], *value["labels"]] for value in values]
            expected = [
                [start, end, LABELS[label]]
                for start, end, label in case["entities"]
                if label in LABELS
            ]
            equal(found, expected, f"entities of {case['text']!r}")
            n_regions += len(found)
        check(n_regions > 0, "there are entities")
        equal([call.path for call in recorder.exchanges if call.status >= 300], [], "failures")
        equal(backend.stop(), 0, "exit status after SIGTERM")

"""Tests of the model, through the API and without Label Studio: `pip install -r
requirements-test.txt`, then `pytest`.
"""

from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest
from model import NewModel

from label_studio_ml.api import init_app

LABEL_CONFIG = """
<View>
  <Text name="text" value="$text"/>
  <Choices name="mood" toName="text">
    <Choice value="Happy"/>
    <Choice value="Sad"/>
  </Choices>
</View>
"""


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    # The model stores its facts in a folder of the test.
    from label_studio_ml import cache, model

    monkeypatch.setattr(model, "CACHE", cache.create_cache("sqlite", str(tmp_path)))
    app = init_app(model_class=NewModel)
    app.config["TESTING"] = True
    with app.test_client() as client:
        yield client


def predict(client: Any) -> List[Dict[str, Any]]:
    request = {
        "tasks": [{"id": 1, "data": {"text": "What a day"}}],
        "project": "1.1700000000",
        "label_config": LABEL_CONFIG,
        "params": {"context": None},
    }
    response = client.post("/predict", json=request)
    assert response.status_code == 200, response.text
    results: List[Dict[str, Any]] = response.json["results"]
    return results


def submit(client: Any, choice: str) -> None:
    region = {
        "from_name": "mood",
        "to_name": "text",
        "type": "choices",
        "value": {"choices": [choice]},
    }
    event = {
        "action": "ANNOTATION_CREATED",
        "project": {"id": 1, "label_config": LABEL_CONFIG},
        "task": {"id": 1, "data": {"text": "What a day"}},
        "annotation": {"id": 1, "result": [region]},
    }
    response = client.post("/webhook", json=event)
    assert response.status_code == 201, response.text


def test_suggests_no_choice_before_the_first_annotation(client: Any) -> None:
    assert predict(client) == []


def test_suggests_the_choice_submitted_last(client: Any) -> None:
    submit(client, "Happy")
    submit(client, "Sad")
    (prediction,) = predict(client)
    assert prediction["model_version"] == "NewModel-v0.0.1"
    assert prediction["result"][0]["value"] == {"choices": ["Sad"]}


def test_setup_returns_the_version(client: Any) -> None:
    response = client.post("/setup", json={"project": "1.1700000000", "schema": LABEL_CONFIG})
    assert response.json == {"model_version": "NewModel-v0.0.1"}

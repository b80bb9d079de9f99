"""Tests of the model, through the API and without Label Studio: `pip install -r
requirements-test.txt`, then `pytest`.
"""

from typing import Any, Iterator

import pytest
from model import NewModel

from label_studio_ml.api import init_app


@pytest.fixture
def client() -> Iterator[Any]:
    app = init_app(model_class=NewModel)
    app.config["TESTING"] = True
    with app.test_client() as client:
        yield client


def test_is_up(client: Any) -> None:
    response = client.get("/health")
    assert response.status_code == 200
    assert response.json == {"model_class": NewModel.__name__, "status": "UP"}


# Put a label config and a task of yours here, and what the model should say about it:
#
# def test_predicts(client: Any) -> None:
#     request = {"tasks": [{"id": 1, "data": {...}}], "project": "1.1700000000", "label_config":
# "<View>...</View>"}
#     response = client.post("/predict", json=request)
#     assert response.json["results"][0]["result"][0]["value"] == {...}

"""The sample project: short film reviews, some of them labelled."""

import json
from pathlib import Path
from typing import Any

from e2e.checks import status
from e2e.client import Client
from e2e.process import wait_until

TITLE = "Film reviews"
LABEL_CONFIG = """
<View>
  <Text name="text" value="$text"/>
  <Choices name="label" toName="text" choice="single" showInLine="true">
    <Choice value="positive"/>
    <Choice value="negative"/>
  </Choices>
</View>
"""


def open_project(client: Client, backend: str) -> int:
    """The id of the sample project, made on the first demo, with the backend connected and its
    predictions stored.
    """
    projects = client.get("/api/projects?page_size=100")["results"]
    found = [project["id"] for project in projects if project["title"] == TITLE]
    project = found[0] if found else make_project(client)
    connection = connect(client, project, backend)
    if not found:
        train(client, connection)
    client.retrieve_predictions(project)
    return project


def make_project(client: Client) -> int:
    """Makes the project and imports its tasks; some bring an annotation along."""
    project: int = client.post("/api/projects", {"title": TITLE, "label_config": LABEL_CONFIG})[
        "id"
    ]
    reviews = json.loads((Path(__file__).parent / "reviews.json").read_text(encoding="utf-8"))
    client.post(f"/api/projects/{project}/import", [task(review) for review in reviews])
    return project


def task(review: dict[str, str]) -> dict[str, Any]:
    """A task as Label Studio imports it."""
    if "label" not in review:
        return {"data": {"text": review["text"]}}
    region = {
        "from_name": "label",
        "to_name": "text",
        "type": "choices",
        "value": {"choices": [review["label"]]},
    }
    return {"data": {"text": review["text"]}, "annotations": [{"result": [region]}]}


def connect(client: Client, project: int, backend: str) -> int:
    """Connects the backend, or tells an earlier demo's connection where it is now."""
    connection = {"project": project, "url": backend, "title": "sklearn_text_classifier"}
    earlier = client.get(f"/api/ml?project={project}")
    backend_id: int
    if not earlier:
        backend_id = client.post("/api/ml", connection)["id"]
        return backend_id
    if earlier[0]["url"] == backend:
        backend_id = earlier[0]["id"]
        return backend_id
    # The webhook belongs to the address, and a new connection makes a new webhook.
    client.delete(f"/api/ml/{earlier[0]['id']}")
    for hook in client.get(f"/api/webhooks/?project={project}"):
        client.delete(f"/api/webhooks/{hook['id']}/")
    backend_id = client.post("/api/ml", connection)["id"]
    return backend_id


def train(client: Client, connection: int) -> None:
    """Presses Start Training and waits for the new model version."""

    def model_version() -> str:
        version: str = client.get(f"/api/ml/{connection}")["model_version"]
        return version

    before = model_version()
    status(client.call("POST", f"/api/ml/{connection}/train", json={}), 200)
    wait_until(lambda: model_version() != before, 240, "the classifier is trained")

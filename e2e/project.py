"""A Label Studio project and its connection to a backend."""

from collections.abc import Mapping
from typing import Any

from e2e.checks import check, equal, status
from e2e.client import Client

Result = list[dict[str, Any]]


class Project:
    """A new project; `connect` gives it its backend."""

    def __init__(self, client: Client, title: str, label_config: str) -> None:
        self.client = client
        created = client.post("/api/projects", {"title": title, "label_config": label_config})
        self.id: int = created["id"]
        self.label_config: str = created["label_config"]  # Label Studio trims it
        self.connection_id = 0
        self._connection: dict[str, Any] = {}

    def add_tasks(self, tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Imports tasks, given whole or by their data, and returns them as they are stored."""
        self.client.post(f"/api/projects/{self.id}/import", tasks)
        return self.client.tasks(self.id)[-len(tasks) :]

    def upload_image(self, name: str, content: bytes) -> None:
        """Uploads a image, which becomes a task."""
        files = {"file": (name, content, "image/png")}
        status(self.client.call("POST", f"/api/projects/{self.id}/import", files=files), 201)

    def upload_as_tasks(self, files: Mapping[str, str]) -> list[dict[str, Any]]:
        """Uploads CSV files, of which each becomes a task, as the import dialog does it for time
        series; returns all tasks.
        """
        uploads: list[int] = []
        for name, content in files.items():
            path = f"/api/projects/{self.id}/import?commit_to_project=false"
            answer = self.client.call("POST", path, files={"file": (name, content, "text/csv")})
            status(answer, 201)
            uploads += answer.json()["file_upload_ids"]
        body = {"file_upload_ids": uploads, "files_as_tasks_list": False}
        self.client.post(f"/api/projects/{self.id}/reimport", body)
        return self.client.tasks(self.id)

    def connect(self, url: str, auth: tuple[str, str] | None = None) -> dict[str, Any]:
        """Connects a backend, which must become connected at once."""
        self._connection = {"project": self.id, "url": url, "title": "end to end"}
        if auth:
            self._connection |= {
                "auth_method": "BASIC_AUTH",
                "basic_auth_user": auth[0],
                "basic_auth_pass": auth[1],
            }
        created: dict[str, Any] = self.client.post("/api/ml", self._connection)
        self.connection_id = created["id"]
        equal(
            (created["state"], created["error_message"]),
            ("CO", None),
            "state of the new connection",
        )
        return created

    def connection(self) -> dict[str, Any]:
        """The connection, for which Label Studio asks the backend for its health and its setup."""
        connection: dict[str, Any] = self.client.get(f"/api/ml/{self.connection_id}")
        return connection

    def model_version(self) -> str:
        """The model version of a backend that must be connected."""
        connection = self.connection()
        equal(
            (connection["state"], connection["error_message"]),
            ("CO", None),
            "state of the connection",
        )
        version: str = connection["model_version"]
        check(version and isinstance(version, str), f"model version is {version!r}")
        return version

    def update_connection(self, **fields: Any) -> dict[str, Any]:
        """Changes the connection; Label Studio wants the address and the credentials each time."""
        connection: dict[str, Any] = self.client.patch(
            f"/api/ml/{self.connection_id}", self._connection | fields
        )
        return connection

    def stored_state(self) -> str:
        """The connection's state, read in the one way that does not refresh it."""
        query = "extended=true&include_live_models=true"
        versions = self.client.get(f"/api/projects/{self.id}/model-versions/?{query}")
        state: str = next(
            live["state"] for live in versions["live"] if live["id"] == self.connection_id
        )
        return state

    def webhook(self) -> dict[str, Any]:
        """The webhook that Label Studio made for the backend."""
        hooks = self.client.get(f"/api/webhooks/?project={self.id}")
        wanted = f"{self._connection['url']}/webhook"
        return next(hook for hook in hooks if hook["url"] == wanted)

    def train(self) -> None:
        """Presses Start Training."""
        status(self.client.call("POST", f"/api/ml/{self.connection_id}/train", json={}), 200)

    def interactive(self, task: int, context: dict[str, Any]) -> Result:
        """What the labelling screen gets for a region that was just drawn."""
        path = f"/api/ml/{self.connection_id}/interactive-annotating"
        answer = self.client.post(path, {"task": task, "context": context}, wanted=200)
        check(not answer.get("errors"), f"interactive request: {answer.get('errors')}")
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result

    def predicted(self, task: int) -> list[dict[str, Any]]:
        """The stored predictions of one task, oldest first."""
        return [
            prediction
            for prediction in self.client.predictions(self.id)
            if prediction["task"] == task
        ]

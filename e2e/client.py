"""The part of Label Studio's REST API that the scenarios use."""

import time
from typing import Any

import requests

from e2e.checks import status

ACCESS_TOKEN_SECONDS = 240  # Label Studio's access tokens live for five minutes


class Client:
    """Calls Label Studio with a legacy token or a personal access token."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url, token
        self._session = requests.Session()
        self._session.trust_env = False
        self._is_personal = token.count(".") == 2
        self._refresh_at = 0.0
        if not self._is_personal:
            self._session.headers["Authorization"] = f"Token {token}"

    def call(
        self, method: str, path: str, timeout: float = 110, **arguments: Any
    ) -> requests.Response:
        """Sends one request and returns whatever the answer is."""
        if self._is_personal and time.monotonic() >= self._refresh_at:
            self._exchange()
        return self._session.request(method, self.url + path, timeout=timeout, **arguments)

    def get(self, path: str) -> Any:
        """The JSON of a GET that must succeed."""
        return self._json("GET", path, 200)

    def post(self, path: str, body: Any = None, wanted: int = 201) -> Any:
        """The JSON of a POST that must be answered with the wanted status."""
        return self._json("POST", path, wanted, json=body)

    def patch(self, path: str, body: Any) -> Any:
        """The JSON of a PATCH that must succeed."""
        return self._json("PATCH", path, 200, json=body)

    def delete(self, path: str) -> None:
        """A DELETE that must succeed."""
        status(self.call("DELETE", path), 204)

    def personal_access_token(self) -> str:
        """A new personal access token; Label Studio allows one per user, so an older one is
        revoked.
        """
        response = self.call("POST", "/api/token/")
        if response.status_code == 409:
            for old in self.get("/api/token/"):
                status(
                    self.call("POST", "/api/token/blacklist/", json={"refresh": old["token"]}), 204
                )
            response = self.call("POST", "/api/token/")
        status(response, 201)
        token: str = response.json()["token"]
        return token

    def allow_legacy_tokens(self, allowed: bool) -> None:
        """Switches legacy tokens on or off for the whole organisation."""
        self.post(
            "/api/jwt/settings",
            {"api_tokens_enabled": True, "legacy_api_tokens_enabled": allowed},
            wanted=200,
        )

    def tasks(self, project: int) -> list[dict[str, Any]]:
        """The tasks of a project, oldest first."""
        tasks = self.get(f"/api/tasks?project={project}&page_size=200")["tasks"]
        return sorted(tasks, key=lambda task: task["id"])

    def predictions(self, project: int) -> list[dict[str, Any]]:
        """The predictions that Label Studio has stored for a project, oldest first."""
        return sorted(
            self.get(f"/api/predictions/?project={project}"),
            key=lambda prediction: prediction["id"],
        )

    def retrieve_predictions(self, project: int, tasks: list[int] | None = None) -> None:
        """Asks for predictions as the data manager's action does: of all tasks, or of some."""
        selected = (
            {"all": True, "excluded": []} if tasks is None else {"all": False, "included": tasks}
        )
        path = f"/api/dm/actions?id=retrieve_tasks_predictions&project={project}"
        self.post(path, {"selectedItems": selected}, wanted=200)

    def annotate(self, task: int, result: list[dict[str, Any]]) -> int:
        """Submits an annotation and returns its id."""
        annotation: int = self.post(
            f"/api/tasks/{task}/annotations/", {"result": result, "lead_time": 1.5}
        )["id"]
        return annotation

    def _json(self, method: str, path: str, wanted: int, **arguments: Any) -> Any:
        response = self.call(method, path, **arguments)
        status(response, wanted)
        return response.json()

    def _exchange(self) -> None:
        response = self._session.post(
            f"{self.url}/api/token/refresh/", json={"refresh": self.token}, timeout=30
        )
        status(response, 200)
        self._session.headers["Authorization"] = f"Bearer {response.json()['access']}"
        self._refresh_at = time.monotonic() + ACCESS_TOKEN_SECONDS

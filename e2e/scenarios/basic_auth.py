"""A backend that asks for a password, and whose training takes longer than Label Studio waits."""

import json
import socket
from contextlib import suppress
from typing import Any

from e2e.backend import Backend
from e2e.checks import check, equal
from e2e.process import wait_until
from e2e.recorder import basic
from e2e.stage import Stage

LABEL_CONFIG = """
<View>
  <Text name="text" value="$text"/>
  <Choices name="mood" toName="text"><Choice value="Happy"/><Choice value="Sad"/></Choices>
</View>
"""
CHOICE = {
    "from_name": "mood",
    "to_name": "text",
    "type": "choices",
    "value": {"choices": ["Happy"]},
}
AUTH = ("annotator", "pass:word")
ENVIRONMENT = {"BASIC_AUTH_USER": AUTH[0], "BASIC_AUTH_PASS": AUTH[1], "FIT_SECONDS": "2"}


def basic_auth(stage: Stage) -> None:
    """Only the right password connects, and no hang-up stops a training."""
    client = stage.client

    with stage.step("a missing or wrong password is refused"):
        backend = stage.backend("the_simplest_backend", ENVIRONMENT)
        recorder = stage.recorder(backend)
        project = stage.project(LABEL_CONFIG)
        task = project.add_tasks([{"text": "good"}, {"text": "bad"}])[0]["id"]
        attempt: dict[str, Any] = {"project": project.id, "url": recorder.url, "title": "refused"}
        wrong = {
            "auth_method": "BASIC_AUTH",
            "basic_auth_user": AUTH[0],
            "basic_auth_pass": "wrong",
        }
        for credentials in ({}, wrong):
            refusal = client.call("POST", "/api/ml", json=attempt | credentials)
            equal(refusal.status_code, 400, f"answer to connecting with {credentials}")
            check(
                "authentication parameters" in refusal.text,
                f"the reason is not told: {refusal.text[:200]}",
            )
        check(backend.get("/health").ok, "the right password is refused")

    with stage.step("the right password connects and predicts"):
        project.connect(recorder.url, AUTH)
        client.retrieve_predictions(project.id)
        equal(len(client.predictions(project.id)), 2, "stored predictions")

    with stage.step("the backend gives its credentials to the project's webhook"):
        given = {"Authorization": basic(AUTH)}
        wait_until(lambda: project.webhook()["headers"] == given, 30, "the webhook has credentials")
        mark = recorder.mark()
        project.add_tasks([{"text": "one more"}])
        equal(
            recorder.webhook(mark, "TASKS_CREATED").status,
            200,
            "answer to an event with credentials",
        )

    with stage.step("an event without credentials is refused"):
        hook = f"/api/webhooks/{project.webhook()['id']}"
        client.patch(hook, {"headers": {}})
        mark = recorder.mark()
        project.add_tasks([{"text": "and one more"}])
        equal(
            recorder.webhook(mark, "TASKS_CREATED").status,
            401,
            "answer to an event without credentials",
        )
        client.patch(hook, {"headers": given})

    with stage.step("an annotation is saved without waiting for the training it causes"):
        mark = recorder.mark()
        client.annotate(task, [CHOICE])
        answer = recorder.webhook(mark, "ANNOTATION_CREATED")
        equal((answer.status, answer.response["status"]), (201, "ok"), "answer to the event")
        equal(answer.response.get("result"), None, "result of a training that still runs")

    with stage.step("a training goes on when the caller hangs up"):
        before = project.model_version()
        hang_up(
            backend,
            {"action": "START_TRAINING", "project": client.get(f"/api/projects/{project.id}")},
        )
        version = wait_until(
            lambda: changed(project.model_version(), before), 30, f"{before} is replaced"
        )
        # One training for the annotation, one for the caller who hung up: neither was lost.
        equal(version, "trivial-v3", "model version")
        equal(backend.stop(), 0, "exit status after SIGTERM")


def hang_up(backend: Backend, event: dict[str, Any]) -> None:
    """Sends an event and leaves before the answer can be there."""
    body = json.dumps(event).encode()
    host, port = backend.url.removeprefix("http://").split(":")
    head = ["POST /webhook HTTP/1.1", f"Host: {host}:{port}", "Content-Type: application/json"]
    head += [f"Content-Length: {len(body)}", f"Authorization: {basic(AUTH)}", "", ""]
    with socket.create_connection((host, int(port)), 5) as connection:
        connection.sendall("\r\n".join(head).encode() + body)
        connection.settimeout(0.3)
        with suppress(TimeoutError):
            connection.recv(1)


def changed(version: str, before: str) -> str | None:
    """The version, when it is another one than before."""
    return version if version != before else None

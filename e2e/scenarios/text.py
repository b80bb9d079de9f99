"""The whole story of a project on text: connect, predict, interact, annotate, train, change,
disconnect.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from e2e.checks import check, equal
from e2e.client import Client
from e2e.stage import Stage

LABEL_CONFIG = """
<View>
  <Text name="text" value="$text"/>
  <Choices name="mood" toName="text"><Choice value="Happy"/><Choice value="Sad"/></Choices>
  <Labels name="spans" toName="text"><Label value="Person"/><Label value="Place"/></Labels>
  <TextArea name="answer" toName="text"/>
</View>
"""
CHANGED_LABEL_CONFIG = LABEL_CONFIG.replace('"Happy"', '"Glad"').replace('"Person"', '"Human"')

# The rules of `the_simplest_backend`: one region per control tag, each with a fixed score.
SCORES = {"choices": 0.75, "labels": 0.625, "textarea": 0.875}
SCORE = sum(SCORES.values()) / len(SCORES)

TEXTS = ["good morning Anna", "what a dreadful day", "GOOD GRIEF 日本語 😀", "ünïcode goes here"]


def regions(
    text: str, moods: tuple[str, str] = ("Happy", "Sad"), span: str = "Person"
) -> list[dict[str, Any]]:
    """What the model has to answer for a text."""
    word = text.split(maxsplit=1)[0]
    values = {
        "mood": ("choices", {"choices": [moods[0] if "good" in text.lower() else moods[1]]}),
        "spans": ("labels", {"start": 0, "end": len(word), "text": word, "labels": [span]}),
        "answer": ("textarea", {"text": [f"echo: {text}"]}),
    }
    return [
        {
            "from_name": control,
            "to_name": "text",
            "type": kind,
            "value": value,
            "score": SCORES[kind],
        }
        for control, (kind, value) in values.items()
    ]


def without_ids(result: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Regions with all that they say, less their ids."""
    return [{key: value for key, value in region.items() if key != "id"} for region in result]


def drawn_span(start: int, end: int, text: str) -> dict[str, Any]:
    """The interactive context that the labelling screen sends for a span just drawn."""
    value = {"start": start, "end": end, "text": text, "labels": ["Person"]}
    return {
        "result": [
            {
                "id": "drawn",
                "from_name": "spans",
                "to_name": "text",
                "type": "labels",
                "value": value,
            }
        ]
    }


def text(stage: Stage) -> None:
    """Plays the whole story with `the_simplest_backend`."""
    client = stage.client

    with stage.step("the backend starts and says so"):
        backend = stage.backend("the_simplest_backend")
        health = backend.get("/health").json()
        equal(health.get("status"), "UP", "status in the health check")
        check(health.get("model_class"), f"the health check names no model: {health}")
        for route in ("/", "/metrics", "/versions"):
            check(backend.get(route).ok, f"{route} answers {backend.get(route).status_code}")
        recorder = stage.recorder(backend)

    with stage.step("Label Studio connects and makes a webhook"):
        project = stage.project(LABEL_CONFIG)
        tasks = project.add_tasks([{"text": text} for text in TEXTS])
        version = project.connect(recorder.url)["model_version"]
        equal(version, "trivial-v1", "model version")
        setup = recorder.since(0, "/setup")[0]
        equal(setup.request["schema"], project.label_config, "label config sent to /setup")
        equal(setup.response["model_version"], version, "model version answered by /setup")
        check(project.webhook()["send_for_all_actions"], "the webhook is not sent for all events")
        listed = client.get(f"/api/ml/{project.connection_id}/versions")["versions"]
        check(version in listed, f"{version} is not among the versions {listed}")

    with stage.step("a batch is predicted in one request, by the model's rules"):
        mark = recorder.mark()
        client.retrieve_predictions(project.id)
        calls = recorder.since(mark, "/predict")
        equal([len(call.request["tasks"]) for call in calls], [len(TEXTS)], "tasks per request")
        for prediction in calls[0].response["results"]:
            check(
                prediction.get("model_version", "") is not None,
                "a null model version makes Label Studio refuse all",
            )
        stored = client.predictions(project.id)
        equal(
            [prediction["task"] for prediction in stored],
            [task["id"] for task in tasks],
            "tasks predicted",
        )
        for prediction, text in zip(stored, TEXTS, strict=True):
            equal(without_ids(prediction["result"]), regions(text), f"stored regions for {text!r}")
            equal(
                (prediction["score"], prediction["model_version"]),
                (SCORE, version),
                "stored score and version",
            )

    with stage.step("a task with predictions is not predicted again"):
        mark = recorder.mark()
        client.retrieve_predictions(project.id)
        equal(recorder.since(mark, "/predict"), [], "further requests")
        equal(len(client.predictions(project.id)), len(TEXTS), "stored predictions")

    with stage.step("the labelling screen shows the prediction"):
        shown = client.get(f"/api/projects/{project.id}/next")["predictions"]
        equal(
            [prediction["model_version"] for prediction in shown],
            [version],
            "predictions of the next task",
        )
        tried = client.post(f"/api/ml/{project.connection_id}/predict/test?random=true", wanted=200)
        check(
            isinstance(tried.get("response"), list),
            f"the settings page's test request says {tried}",
        )

    with stage.step("a drawn span comes back labelled"):
        check(
            project.update_connection(is_interactive=True)["is_interactive"],
            "interactive is not switched on",
        )
        result = project.interactive(tasks[0]["id"], drawn_span(5, 12, "morning"))
        spans = [region["value"] for region in result if region["from_name"] == "spans"]
        wanted = {"start": 5, "end": 12, "text": "morning", "labels": ["Person"]}
        equal(spans, [wanted], "spans")
        equal(len(project.interactive(tasks[0]["id"], {})), 3, "regions without a context")

    with stage.step("eight interactive requests at once are all answered"):

        def interact(task: int) -> int:
            project_of_thread = Client(client.url, client.token)
            path = f"/api/ml/{project.connection_id}/interactive-annotating"
            body = {"task": task, "context": drawn_span(0, 4, "good")}
            return len(project_of_thread.post(path, body, wanted=200)["data"]["result"])

        with ThreadPoolExecutor(8) as pool:
            counts = list(pool.map(interact, [task["id"] for task in tasks] * 2))
        equal(counts, [3] * 8, "regions per answer")

    with stage.step("annotations created, changed and deleted reach the model"):
        mark = recorder.mark()
        annotation = client.annotate(tasks[0]["id"], regions(TEXTS[0])[:1])
        client.patch(f"/api/annotations/{annotation}/", {"result": regions(TEXTS[1])[:1]})
        client.delete(f"/api/annotations/{annotation}/")
        for n_fits, event in enumerate(
            ("ANNOTATION_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_DELETED"), start=1
        ):
            answer = recorder.webhook(mark, event)
            equal((answer.status, answer.response["status"]), (201, "ok"), f"answer to {event}")
            equal(
                answer.response["result"]["fits"],
                n_fits,
                f"events the model has learnt from after {event}",
            )

    with stage.step("Start Training makes a new model version"):
        project.train()
        equal(project.stored_state(), "TR", "state right after the training call")
        before, version = version, project.model_version()
        equal(version, "trivial-v5", "model version after three annotation events and a training")

    with stage.step("a new model version predicts anew"):
        client.retrieve_predictions(project.id)
        versions = [prediction["model_version"] for prediction in client.predictions(project.id)]
        equal(
            versions,
            [before] * len(TEXTS) + [version] * len(TEXTS),
            "versions of the stored predictions",
        )

    with stage.step("the model version outlives a restart"):
        equal(backend.restart(), 0, "exit status after SIGTERM")
        equal(project.model_version(), version, "model version")

    with stage.step("extra params may be text or an object"):
        for extra_params in ('{"threshold": 0.5}', {"threshold": 0.5}):
            changed = project.update_connection(extra_params=extra_params)
            equal(
                (changed["state"], changed["error_message"]),
                ("CO", None),
                f"state with {extra_params!r}",
            )

    with stage.step("a changed label config is followed"):
        mark = recorder.mark()
        client.patch(f"/api/projects/{project.id}", {"label_config": CHANGED_LABEL_CONFIG})
        equal(recorder.webhook(mark, "PROJECT_UPDATED").status, 200, "answer to PROJECT_UPDATED")
        task = project.add_tasks([{"text": "all good"}])[0]["id"]
        client.retrieve_predictions(project.id, [task])
        result = project.predicted(task)[-1]["result"]
        equal(
            without_ids(result),
            regions("all good", ("Glad", "Sad"), "Human"),
            "regions under the new label config",
        )

    with stage.step("a request of four megabytes is taken"):
        mark = recorder.mark()
        long_text = "good words " * 190_000
        long_tasks = [task["id"] for task in project.add_tasks([{"text": long_text}] * 2)]
        client.retrieve_predictions(project.id, long_tasks)
        calls = recorder.since(mark, "/predict")
        equal([call.status for call in calls], [200], "status of the prediction")
        check(calls[0].size > 4_000_000, "the request was smaller than meant")

    with stage.step("Label Studio disconnects, and no request has failed"):
        client.delete(f"/api/ml/{project.connection_id}")
        failed = [
            (call.path, call.action, call.status)
            for call in recorder.exchanges
            if call.status >= 300
        ]
        equal(failed, [], "failed requests")
        check(
            client.token not in backend.process.log_tail(10**8), "the token is in the backend's log"
        )
        equal(backend.stop(), 0, "exit status after SIGTERM")

"""Backends that call a service, each against a mock of it: what is typed in Label Studio reaches
the service.
"""

from typing import Any

from e2e.checks import check, equal
from e2e.images import png
from e2e.mock_service import MockService, of_example
from e2e.stage import Stage

PROMPT_CONFIG = """
<View>
  <Text name="input" value="$text"/>
  <TextArea name="prompt" toName="input" maxSubmissions="1" editable="true"/>
  <TextArea name="response" toName="input" maxSubmissions="1" editable="true"/>
  <TextArea name="snippets" toName="input"/>
  <Choices name="classification" toName="input"><Choice value="Good"/><Choice value="Bad"/></Choices>
</View>
"""
SPEECH_CONFIG = """
<View>
  <TextArea name="text" toName="audio" value="$text" maxSubmissions="1"/>
  <Audio name="audio" value="$audio"/>
</View>
"""
DOCUMENT_CONFIG = """
<View>
  <Image name="image" value="$image"/>
  <RectangleLabels name="doclang" toName="image"><Label value="text"/><Label value="table"/></RectangleLabels>
</View>
"""
TASKS = [{"text": "good one"}, {"text": "it's awful"}]


def watsonx_llm(stage: Stage) -> None:
    """Prompts go to watsonx.ai; annotations are copied to a Presto engine."""
    client = stage.client
    service = service_of(stage, "watsonx_llm")
    with stage.step("a prompt that is typed is answered"):
        backend = stage.backend(
            "watsonx_llm", service.environment | {"WATSONX_EXPORT_TOKEN": "let-me-in"}
        )
        project = stage.project(PROMPT_CONFIG)
        tasks = [task["id"] for task in project.add_tasks(TASKS)]
        equal(project.connect(backend.url)["model_version"], "WatsonXModel-v0.0.1", "model version")
        project.update_connection(is_interactive=True)
        result = project.interactive(tasks[0], typed("prompt", "Rate this: {text}"))
        equal(values(result)["classification"], {"choices": ["Good"]}, "choice")
        asked = service.at("/ml/v1/text/generation")[-1]
        equal(asked.json["input"], "Rate this: good one", "prompt")
        equal(len(service.at("/oidc/token")), 1, "exchanges of the key")

    with stage.step("all tasks are predicted with the default prompt"):
        client.retrieve_predictions(project.id)
        equal(len(client.predictions(project.id)), len(TASKS), "predictions")

    with stage.step("annotations become rows, and changed ones keep theirs"):
        headers = {"X-Export-Token": "let-me-in"}
        hook = {
            "url": f"{backend.url}/data/upload",
            "project": project.id,
            "send_payload": True,
            "headers": headers,
        }
        client.post("/api/webhooks/", hook)
        annotation = client.annotate(tasks[1], result)
        client.patch(f"/api/annotations/{annotation}/", {"result": result})
        client.delete(f"/api/annotations/{annotation}/")
        statements = [request.text for request in service.at("/v1/statement")]
        inserted = [sql for sql in statements if sql.startswith("INSERT INTO annotations VALUES")]
        equal(len(inserted), 2, f"insertions among {statements}")
        check(
            f"({tasks[1]}, 'Good'," in inserted[0] and "'it''s awful'" in inserted[0],
            f"row {inserted[0]}",
        )
        deleted = [
            sql for sql in statements if sql == f"DELETE from annotations WHERE ID={tasks[1]}"
        ]
        equal(len(deleted), 2, f"deletions among {statements}")


def langchain_search_agent(stage: Stage) -> None:
    """Prompts go to a chat model, which searches the web."""
    client = stage.client
    service = service_of(stage, "langchain_search_agent")
    with stage.step("the model searches before it answers, and what it found is kept"):
        backend = stage.backend("langchain_search_agent", service.environment)
        project = stage.project(PROMPT_CONFIG)
        tasks = [task["id"] for task in project.add_tasks(TASKS)]
        project.connect(backend.url)
        project.update_connection(is_interactive=True)
        result = project.interactive(tasks[0], typed("prompt", "Is it good? "))
        wanted = {
            "prompt": {"text": ["Is it good? "]},
            "classification": {"choices": ["Good"]},
            "response": {"text": ["Good"]},
            "snippets": {"text": ["About Is it good? good one", "More of it"]},
        }
        equal(values(result), wanted, "regions")

    with stage.step("the prompt of an annotation pre-labels all tasks"):
        client.annotate(tasks[0], result)
        client.retrieve_predictions(project.id)
        equal(len(client.predictions(project.id)), len(TASKS), "predictions")
        searched = service.at("/search")[-1].query["q"]
        check(searched.startswith("Is it good?"), f"searched for {searched!r}")


def deepgram(stage: Stage) -> None:
    """What is typed is spoken, stored, and put into the task."""
    client = stage.client
    service = service_of(stage, "deepgram")
    with stage.step("the task gets the address of the audio, and keeps its other fields"):
        backend = stage.backend("deepgram", service.environment)
        project = stage.project(SPEECH_CONFIG)
        task = project.add_tasks([{"text": "", "audio": "", "speaker": "Ann"}])[0]["id"]
        project.connect(backend.url)
        project.update_connection(is_interactive=True)
        context = typed("text", "Hello Deepgram", "audio") | {"user_id": 7}
        equal(
            values(project.interactive(task, context)),
            {"text": {"text": ["Hello Deepgram"]}},
            "regions",
        )
        stored = [request for request in service.requests if request.method == "PUT"]
        equal(len(stored), 1, "files stored")
        data = client.get(f"/api/tasks/{task}")["data"]
        wanted = {"text": "Hello Deepgram", "audio": service.url + stored[0].path, "speaker": "Ann"}
        equal(data, wanted, "data of the task")

    with stage.step("without a text nothing is asked"):
        n_requests = len(service.requests)
        client.retrieve_predictions(project.id)
        equal(len(service.requests), n_requests, "requests")


def docling(stage: Stage) -> None:
    """Uploaded images of documents become regions."""
    client = stage.client
    service = service_of(stage, "docling")
    with stage.step("an uploaded document is converted once and becomes regions"):
        flags = {"DOCLING_TO_NAME": "image", "DOCLING_PAGE_NO": "1", "LOG_LEVEL": "DEBUG"}
        backend = stage.backend("docling", service.environment | flags)
        project = stage.project(DOCUMENT_CONFIG)
        image = png(60, 80, (250, 250, 250))
        project.upload_image("page.png", image)
        project.connect(backend.url)
        client.retrieve_predictions(project.id)
        prediction = client.predictions(project.id)[0]
        labels = [
            region["value"].get("rectanglelabels", [""])[0] for region in prediction["result"]
        ]
        equal(
            labels[:5], ["section_header", "section_header", "text", "caption", "table"], "labels"
        )
        sizes = {
            (region["original_width"], region["original_height"]) for region in prediction["result"]
        }
        equal(sizes, {(612, 792)}, "sizes of the page")
        submitted = service.at("/v1/convert/file/async")
        check(all(image in request.body for request in submitted), "the uploaded image was sent")
        equal(len(service.at("/v1/result/job")), 1, "conversions")


def service_of(stage: Stage, name: str) -> MockService:
    """The mock of the service of an example; it ends with the scenario."""
    return stage.cleanup.enter_context(of_example(name))


def typed(control: str, text: str, to_name: str = "input") -> dict[str, Any]:
    """What the labelling screen sends when a text was typed."""
    region = {
        "id": "r1",
        "from_name": control,
        "to_name": to_name,
        "type": "textarea",
        "value": {"text": [text]},
    }
    return {"result": [region]}


def values(result: list[dict[str, Any]]) -> dict[str, Any]:
    """The values of regions by their control."""
    return {region["from_name"]: region["value"] for region in result}

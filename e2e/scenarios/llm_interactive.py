"""Prompts typed in Label Studio reach a chat model, and its answers come back as regions."""

import base64
from typing import Any

from e2e.chat_model import Answer, ChatModel, completion, refusal
from e2e.checks import check, equal
from e2e.images import png
from e2e.stage import Stage

LABEL_CONFIG = """
<View>
  <Text name="text" value="$text"/>
  <TextArea name="prompt" toName="text" editable="true" rows="2" maxSubmissions="1" showSubmitButton="false"/>
  <TextArea name="response" toName="text" smart="false" editable="true"/>
  <Choices name="topic" toName="text" choice="multiple">
    <Choice value="sports"/><Choice value="politics"/><Choice value="technology"/>
  </Choices>
</View>
"""
IMAGE_LABEL_CONFIG = """
<View>
  <Image name="image" value="$image"/>
  <TextArea name="prompt" toName="image"/>
  <TextArea name="response" toName="image" smart="false"/>
</View>
"""
KEY = "sk-end-to-end"
TEXTS = ["the match was won", "the vote was lost", "a forbidden text", "a {prompt} chip was built"]
PROMPT = "Which topics, one per line? {labels}"


def reply(asked: str) -> Answer:
    """What the chat model says."""
    if "forbidden" in asked:
        return refusal(400, "this text is against the rules")
    topics = {"match": "sport", "vote": "politics", "chip": "tech\nsports"}
    return completion(next((topic for word, topic in topics.items() if word in asked), "no idea"))


def llm_interactive(stage: Stage) -> None:
    """Plays a project on text and one on images with `llm_interactive`."""
    client = stage.client
    chat_model = stage.cleanup.enter_context(ChatModel(reply))
    environment = {
        "OPENAI_API_KEY": KEY,
        "OPENAI_BASE_URL": chat_model.url,
        "OPENAI_MODEL": "gpt-4o",
    }
    environment["LOG_LEVEL"] = "DEBUG"

    with stage.step("the backend connects, and asks nothing while there is no prompt"):
        backend = stage.backend("llm_interactive", environment)
        recorder = stage.recorder(backend)
        project = stage.project(LABEL_CONFIG)
        tasks = [task["id"] for task in project.add_tasks([{"text": text} for text in TEXTS])]
        first_version = project.connect(recorder.url)["model_version"]
        project.update_connection(is_interactive=True)
        client.retrieve_predictions(project.id)
        equal(client.predictions(project.id), [], "predictions without a prompt")
        equal(chat_model.requests, [], "questions without a prompt")

    with stage.step("a prompt that is typed is answered at once"):
        result = project.interactive(tasks[0], typed(PROMPT))
        equal(values(result), answered(["sports"], "sport", PROMPT), "regions")
        request = chat_model.requests[0]
        equal(
            (request["path"], request["key"]),
            ("/v1/chat/completions", f"Bearer {KEY}"),
            "address and key",
        )
        content = f'**Source Text**:\n\n"{TEXTS[0]}"\n\n**Task Directive**:\n\n"{PROMPT}"'
        wanted = {
            "model": "gpt-4o",
            "n": 1,
            "temperature": 0.7,
            "messages": [{"role": "user", "content": content}],
        }
        equal(request["body"], wanted, "question")

    with stage.step("the prompt of an annotation is kept and asked about every task"):
        mark = recorder.mark()
        client.annotate(tasks[0], result)
        event = recorder.webhook(mark, "ANNOTATION_CREATED")
        equal(
            (event.status, event.response),
            (201, {"result": None, "status": "ok"}),
            "answer to the event",
        )
        client.retrieve_predictions(project.id)
        by_task = {
            task: values(project.predicted(task)[0]["result"])
            for task in tasks
            if project.predicted(task)
        }
        wanted = {
            tasks[0]: answered(["sports"], "sport", PROMPT),
            tasks[1]: answered(["politics"], "politics", PROMPT),
            tasks[3]: answered(["technology", "sports"], "tech\nsports", PROMPT),
        }
        equal(by_task, wanted, "predictions, all but that of the task that the chat model refused")
        versions = {prediction["model_version"] for prediction in client.predictions(project.id)}
        equal(versions, {first_version}, "model versions")

    with stage.step("only the missing prediction is asked for again"):
        mark = len(chat_model.requests)
        client.retrieve_predictions(project.id)
        asked = chat_model.since(mark)
        equal((len(asked), TEXTS[2] in asked[0]), (1, True), f"questions {asked}")

    with stage.step("another prompt is another model version"):
        mark = recorder.mark()
        client.annotate(tasks[1], typed("Which one?")["result"])
        recorder.webhook(mark, "ANNOTATION_CREATED")
        version = project.model_version()
        check(version != first_version, f"the model version is still {version}")
        client.retrieve_predictions(project.id)
        newest = project.predicted(tasks[1])[-1]
        equal(newest["model_version"], version, "version of the new prediction")
        equal(
            values(newest["result"]),
            answered(["politics"], "politics", "Which one?"),
            "new prediction",
        )

    with stage.step("images in Label Studio are shown to the chat model"):
        on_images = stage.project(IMAGE_LABEL_CONFIG)
        image = png(8, 6, (10, 20, 30))
        on_images.upload_image("image.png", image)
        on_images.connect(recorder.url)
        on_images.update_connection(is_interactive=True)
        task = client.tasks(on_images.id)[0]["id"]
        result = on_images.interactive(task, typed("Is there a match?", "image"))
        equal(result[0]["value"], {"text": ["sport"]}, "response")
        part = chat_model.requests[-1]["body"]["messages"][0]["content"][1]
        url = f"data:image/png;base64,{base64.b64encode(image).decode()}"
        equal(part, {"type": "image_url", "image_url": {"url": url}}, "image in the question")

    with stage.step("nothing failed, and the key is nowhere in the log"):
        equal(
            [
                call.path
                for call in recorder.exchanges
                if call.status >= 500 and call.path != "/predict"
            ],
            [],
            "errors",
        )
        log = backend.process.log.read_text()
        check(KEY not in log, "the log shows the key")
        check("this text is against the rules" in log, "the log does not say why a task failed")
        equal(backend.stop(), 0, "exit status after SIGTERM")


def typed(prompt: str, to_name: str = "text") -> dict[str, Any]:
    """The interactive context for a prompt just typed."""
    value = {"text": [prompt]}
    return {
        "result": [
            {
                "id": "typed",
                "from_name": "prompt",
                "to_name": to_name,
                "type": "textarea",
                "value": value,
            }
        ]
    }


def answered(topics: list[str], response: str, prompt: str) -> dict[str, Any]:
    """The values of a prediction by control."""
    return {
        "topic": {"choices": topics},
        "response": {"text": [response]},
        "prompt": {"text": [prompt]},
    }


def values(result: list[dict[str, Any]]) -> dict[str, Any]:
    """The values of regions by control."""
    return {region["from_name"]: region["value"] for region in result}

"""A classifier that learns invented words from real annotations, each project for itself."""

from typing import Any

from e2e.checks import check, equal
from e2e.process import wait_until
from e2e.project import Project
from e2e.stage import Stage

LABEL_CONFIG = """
<View>
  <Text name="text" value="$text"/>
  <Choices name="label" toName="text"><Choice value="positive"/><Choice value="negative"/></Choices>
</View>
"""
LESSONS = [
    ("zorp all day", "positive"),
    ("quim all night", "negative"),
    ("a zorp for everyone", "positive"),
    ("nothing but quim", "negative"),
]


def text_classifier(stage: Stage) -> None:
    """Teaches `sklearn_text_classifier` two words and asks for them."""
    client = stage.client

    with stage.step("an untrained backend connects and guesses"):
        environment = {"START_TRAINING_EACH_N_UPDATES": str(len(LESSONS))}
        backend = stage.backend("sklearn_text_classifier", environment)
        recorder = stage.recorder(backend)
        project = stage.project(LABEL_CONFIG)
        lessons = project.add_tasks([{"text": text} for text, _ in LESSONS])
        version = project.connect(recorder.url)["model_version"]
        equal(
            predict(project, "a positive thing")[0], "positive", "guess from the name of the label"
        )
        equal(predict(project, "zorp")[1], 0.5, "score of an unknown word")

    with stage.step("enough annotations train the model"):
        for task, (_, label) in zip(lessons, LESSONS, strict=True):
            client.annotate(task["id"], [choice(label)])
        wait_until(lambda: project.model_version() != version, 30, f"{version} is replaced")
        expect_lessons_learnt(project)

    with stage.step("Start Training trains again"):
        more = project.add_tasks([{"text": "blick blick"}, {"text": "blick"}])
        for task in more:
            client.annotate(task["id"], [choice("negative")])
        version = project.model_version()
        project.train()
        wait_until(lambda: project.model_version() != version, 30, f"{version} is replaced")
        equal(predict(project, "blick")[0], "negative", "label learnt last")
        expect_lessons_learnt(project)

    with stage.step("what was learnt outlives a restart"):
        version = project.model_version()
        equal(backend.restart(), 0, "exit status after SIGTERM")
        equal(project.model_version(), version, "model version")
        expect_lessons_learnt(project)

    with stage.step("another project learns nothing from this one"):
        other = stage.project(LABEL_CONFIG)
        other.add_tasks([{"text": "first"}])
        other.connect(recorder.url)
        equal(predict(other, "zorp")[1], 0.5, "score of an unknown word")

    with stage.step("no request has failed"):
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


def predict(project: Project, text: str) -> tuple[str, float]:
    """Label and score for a text that the project has not seen before."""
    task = project.add_tasks([{"text": text}])[0]["id"]
    project.client.retrieve_predictions(project.id, [task])
    prediction = project.predicted(task)[0]
    return prediction["result"][0]["value"]["choices"][0], round(prediction["score"], 9)


def expect_lessons_learnt(project: Project) -> None:
    """Fails unless new texts with the invented words get the labels taught."""
    for text, label in (("again zorp", "positive"), ("quim once more", "negative")):
        predicted, score = predict(project, text)
        equal(predicted, label, f"label of {text!r}")
        check(score > 0.55, f"{text!r} is predicted with a score of {score} only")


def choice(label: str) -> dict[str, Any]:
    """The region of an annotation."""
    return {
        "from_name": "label",
        "to_name": "text",
        "type": "choices",
        "value": {"choices": [label]},
    }

"""Encoders that learn invented words from the annotations of 200 texts, with Start Training."""

from pathlib import Path
from typing import Any

from e2e.checks import check, equal
from e2e.process import wait_until
from e2e.project import Project
from e2e.stage import Stage

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
CHOICES_CONFIG = """
<View>
  <Text name="text" value="$text"/>
  <Choices name="label" toName="text"><Choice value="positive"/><Choice value="negative"/></Choices>
</View>
"""
LABELS_CONFIG = """
<View>
  <Labels name="label" toName="text"><Label value="PER"/><Label value="LOC"/></Labels>
  <Text name="text" value="$text"/>
</View>
"""
N_TEXTS = 200
N_ANNOTATED = 140
TRAINING_SECONDS = 120
# Tiny encoders with random weights need larger steps than real ones.
ENVIRONMENT = {
    "LEARNING_RATE": "5e-3",
    "NUM_TRAIN_EPOCHS": "6",
    "START_TRAINING_EACH_N_UPDATES": "100000",
}
GLINER_CONFIG = LABELS_CONFIG.replace("PER", "person").replace("LOC", "place")
# Five epochs of the annotated texts that are not held out.
GLINER_ENVIRONMENT = {
    "LEARNING_RATE": "2e-3",
    "OTHERS_LEARNING_RATE": "5e-3",
    "NUM_TRAIN_STEPS": str(5 * N_ANNOTATED),
}
Regions = list[dict[str, Any]]


def bert_classifier(stage: Stage) -> None:
    """Teaches `bert_classifier` which word is good."""
    nouns = ["film", "play", "ball", "law", "chip", "code", "team", "goal", "bill", "phone"]

    def text(idx: int) -> str:
        word = ("zorp", "quim")[idx % 2]
        return f"the {nouns[idx % 10]} was {word} and the {nouns[(3 * idx + 1) % 10]} {idx}"

    def regions(idx: int) -> Regions:
        label = ("positive", "negative")[idx % 2]
        return [region("choices", {"choices": [label]})]

    learn(stage, "bert_classifier", CHOICES_CONFIG, [(text(i), regions(i)) for i in range(N_TEXTS)])


def huggingface_ner(stage: Stage) -> None:
    """Teaches `huggingface_ner` persons and places, with offsets behind an emoji."""
    learn(stage, "huggingface_ner", LABELS_CONFIG, entities("PER", "LOC"))


def gliner(stage: Stage) -> None:
    """Teaches `gliner` the same, with labels that are a part of what it reads."""
    learn(
        stage,
        "gliner",
        GLINER_CONFIG,
        entities("person", "place"),
        ("GLINER_MODEL_NAME", GLINER_ENVIRONMENT),
    )


def entities(person_label: str, place_label: str) -> list[tuple[str, Regions]]:
    """Texts with a person and a place."""
    people = ("anna", "bob", "obama", "anna smith")
    places = ("paris", "new york")
    verbs = ("visited", "lives in", "works in", "was born in")

    def example(idx: int) -> tuple[str, Regions]:
        start = ("", "\U0001f469\u200d\U0001f4bb ")[idx % 2]
        person, place, verb = people[idx // 2 % 4], places[idx // 8 % 2], verbs[idx // 16 % 4]
        text = f"{start}{person} {verb} {place} {idx}"
        marked = [
            region("labels", {"start": at, "end": at + len(part), "text": part, "labels": [label]})
            for part, label, at in (
                (person, person_label, len(start)),
                (place, place_label, text.index(f" {place} ") + 1),
            )
        ]
        return text, marked

    return [example(idx) for idx in range(N_TEXTS)]


def learn(
    stage: Stage,
    program: str,
    config: str,
    examples: list[tuple[str, Regions]],
    settings: tuple[str, dict[str, str]] = ("BASELINE_MODEL_NAME", ENVIRONMENT),
) -> None:
    """Annotates the first texts, presses Start Training, and compares the predictions that Label
    Studio stores for the others.
    """
    with stage.step(f"{N_ANNOTATED} texts are annotated", TRAINING_SECONDS):
        project = stage.project(config)
        tasks: list[dict[str, Any]] = [{"data": {"text": text}} for text, _ in examples]
        for task, (_, regions) in zip(tasks[:N_ANNOTATED], examples, strict=False):
            task["annotations"] = [{"result": regions}]
        # Together: one by one they take minutes on a busy machine.
        tasks = project.add_tasks(tasks)

    with stage.step("an untrained encoder connects"):
        model = EXAMPLES / program / "tests" / "fixtures" / "model"
        variable, environment = settings
        backend = stage.backend(program, {**environment, variable: str(model)})
        recorder = stage.recorder(backend)
        version = project.connect(recorder.url)["model_version"]

    with stage.step("Start Training trains it", TRAINING_SECONDS):
        project.train()
        wait_until(
            lambda: project.model_version() != version,
            TRAINING_SECONDS,
            f"{version} is replaced",
        )

    with stage.step("95 % of the other texts are predicted right"):
        expect_learnt(project, tasks[N_ANNOTATED:], examples[N_ANNOTATED:])

    with stage.step("what was learnt outlives a restart"):
        version = project.model_version()
        equal(backend.restart(), 0, "exit status after SIGTERM")
        equal(project.model_version(), version, "model version")
        equal(backend.stop(), 0, "exit status after SIGTERM")


def expect_learnt(
    project: Project, tasks: list[dict[str, Any]], examples: list[tuple[str, Regions]]
) -> None:
    """Fails unless the stored predictions of the new version are right for 95 % of the tasks."""
    ids = [task["id"] for task in tasks]
    project.client.retrieve_predictions(project.id, ids)
    version = project.model_version()
    stored = {
        prediction["task"]: prediction["result"]
        for prediction in project.client.predictions(project.id)
        if prediction["model_version"] == version
    }
    right = sum(
        marks(stored.get(task_id, [])) == marks(regions)
        for task_id, (_, regions) in zip(ids, examples, strict=True)
    )
    check(right >= 0.95 * len(ids), f"{right} of {len(ids)} texts are predicted right")


def marks(regions: Regions) -> list[tuple[Any, ...]]:
    """What regions say, without ids and scores."""
    values = [region["value"] for region in regions]
    return sorted(
        (value.get("start", 0), value.get("end", 0), *value.get("labels", value.get("choices")))
        for value in values
    )


def region(kind: str, value: dict[str, Any]) -> dict[str, Any]:
    """A region of an annotation."""
    return {"from_name": "label", "to_name": "text", "type": kind, "value": value}

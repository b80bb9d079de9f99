"""Detectors with tiny models find things on uploaded images, by themselves or once a user types
what to look for.
"""

import re
from pathlib import Path

from e2e.backend import Backend
from e2e.checks import check, equal
from e2e.process import wait_until
from e2e.project import Project, Result
from e2e.recorder import Recorder
from e2e.scenarios.smart_masks import drawn
from e2e.stage import Stage

ROOT = Path(__file__).resolve().parents[2]
# As compose files leave variables that are not set.
NOTHING = dict.fromkeys(
    ["DEVICE", "ONNX_THREADS", "BATCH_SIZE", "MAX_IMAGE_PIXELS", "HF_HOME", "HF_TOKEN"], ""
)
CLASSES = ["car", "person", "traffic light", "Persian_cat"]
PROMPTED = """
<View>
  <Image name="image" value="$image"/>
  <TextArea name="prompt" toName="image" editable="true" rows="2" maxSubmissions="1" showSubmitButton="true"/>
  <RectangleLabels name="label" toName="image"><Label value="cats"/><Label value="house"/></RectangleLabels>
  <BrushLabels name="mask" toName="image"><Label value="cats"/><Label value="house"/></BrushLabels>
</View>
"""


def yolo(stage: Stage) -> None:
    """Plays pre-labelling by four control tags at once with `yolo`."""
    models = fixtures("yolo")
    labels = "".join(f'<Label value="{name}"/>' for name in CLASSES)
    controls = [
        control("RectangleLabels", "boxes", "tiny-detect.onnx", 0.3, labels),
        control("PolygonLabels", "outlines", "tiny-segment.onnx", 0.9, labels),
        control("BrushLabels", "masks", "tiny-segment.onnx", 0.9, labels),
        control("Choices", "kind", "tiny-classify.onnx", 0, labels.replace("<Label", "<Choice")),
    ]
    label_config = f'<View><Image name="image" value="$image"/>{"".join(controls)}</View>'
    finds(stage, "yolo", {"MODEL_ROOT": str(models)}, label_config, models / "images")


def mmdetection(stage: Stage) -> None:
    """Plays pre-labelling with `mmdetection-3`."""
    label_config = """
    <View>
      <Image name="image" value="$image"/>
      <RectangleLabels name="boxes" toName="image" model_score_threshold="0.7">
        <Label value="Airplane"/><Label value="Car"/>
      </RectangleLabels>
    </View>
    """
    models = fixtures("mmdetection-3")
    environment = {"CHECKPOINT_FILE": str(models / "rtmdet-raw.onnx")}
    finds(stage, "mmdetection-3", environment, label_config, models)


def grounding_dino(stage: Stage) -> None:
    """Plays typing and remembering a prompt with `grounding_dino`."""
    with stage.step("what is typed is found"):
        backend, recorder, project, tasks = start(
            stage, "grounding_dino", prompted(), PROMPTED, images()
        )
        regions = project.interactive(tasks[0], {"result": [typed("cat")]})
        expect_regions(regions, {"label"}, {"cats"})

    with stage.step("the prompt of an annotation is looked for on all images"):
        project.client.annotate(tasks[0], [typed("house")])

        def found() -> bool:
            project.client.retrieve_predictions(project.id, [tasks[1]])
            return bool(project.predicted(tasks[1]) and project.predicted(tasks[1])[-1]["result"])

        wait_until(found, 30, "the prompt is remembered")
        regions = project.predicted(tasks[1])[-1]["result"]
        rectangles = [region for region in regions if region["type"] == "rectanglelabels"]
        expect_regions(rectangles, {"label"}, {"house"})
    nothing_failed(stage, backend, recorder)


def grounding_sam(stage: Stage) -> None:
    """Plays typing a prompt and getting masks with `grounding_sam`."""
    sam = fixtures("segment_anything_model")
    files = {
        "SAM_ENCODER": str(sam / "tiny.encoder.onnx"),
        "SAM_DECODER": str(sam / "tiny.decoder.onnx"),
    }
    environment = prompted() | files | {"USE_SAM": "true"}
    with stage.step("what is typed becomes masks"):
        backend, recorder, project, tasks = start(
            stage, "grounding_sam", environment, PROMPTED, images()
        )
        regions = project.interactive(tasks[0], {"result": [typed("cat")]})
        expect_regions(regions, {"mask"}, {"cats"})
        equal({region["value"]["format"] for region in regions}, {"rle"}, "formats")

    with stage.step("without a prompt there is nothing to say"):
        project.client.retrieve_predictions(project.id)
        regions = [prediction["result"] for prediction in project.client.predictions(project.id)]
        check(not any(regions), f"regions out of nowhere: {regions}")
    nothing_failed(stage, backend, recorder)


def finds(
    stage: Stage, program: str, environment: dict[str, str], label_config: str, images: Path
) -> None:
    """Lets a backend label two images, together and one by one, with all control tags of the
    label config.
    """
    files = [images / "wide.png", images / "tall.png"]
    with stage.step("images are uploaded and labelled"):
        backend, recorder, project, tasks = start(stage, program, environment, label_config, files)
        project.client.retrieve_predictions(project.id)
        predicted = {task: project.predicted(task)[0]["result"] for task in tasks}
        found = {region["from_name"] for regions in predicted.values() for region in regions}
        equal(found, set(re.findall(r'name="(\w+)" toName', label_config)), "control tags")

    with stage.step("a image that is asked for alone gets the same"):
        for task, regions in predicted.items():
            alone = project.interactive(task, {"result": []})
            equal(
                [unnamed(region) for region in alone],
                [unnamed(region) for region in regions],
                "regions",
            )
    nothing_failed(stage, backend, recorder)


def start(
    stage: Stage, program: str, environment: dict[str, str], label_config: str, images: list[Path]
) -> tuple[Backend, Recorder, Project, list[int]]:
    """Starts a backend and connects it to a project with these images; returns their tasks, too."""
    backend = stage.backend(
        program, {**NOTHING, "ORT_DYLIB_PATH": str(ROOT / ".ort"), **environment}
    )
    recorder = stage.recorder(backend)
    project = stage.project(label_config)
    for image in images:
        project.upload_image(image.name, image.read_bytes())
    project.connect(recorder.url)
    project.update_connection(is_interactive=True)
    return backend, recorder, project, [task["id"] for task in stage.client.tasks(project.id)]


def nothing_failed(stage: Stage, backend: Backend, recorder: Recorder) -> None:
    """Ends the backend, which must have answered everything."""
    with stage.step("no request has failed"):
        equal(
            [call.path for call in recorder.exchanges if call.status >= 300], [], "failed requests"
        )
        equal(backend.stop(), 0, "exit status after SIGTERM")


def expect_regions(regions: Result, controls: set[str], labels: set[str]) -> None:
    """There are regions, of these control tags and with these labels."""
    equal({region["from_name"] for region in regions}, controls, "control tags")
    equal(
        {label for region in regions for label in region["value"][region["type"]]}, labels, "labels"
    )


def unnamed(region: dict[str, object]) -> dict[str, object]:
    """A region without its id, which is a new one each time."""
    return {key: value for key, value in region.items() if key != "id"}


def control(tag: str, name: str, model: str, threshold: float, labels: str) -> str:
    """A control tag with its labels."""
    attributes = f'model_path="{model}" model_score_threshold="{threshold}"'
    return f'<{tag} name="{name}" toName="image" {attributes}>{labels}</{tag}>'


def typed(prompt: str) -> dict[str, object]:
    """A prompt as the text area sends it."""
    return drawn("prompt", "textarea", {"text": [prompt]})


def prompted() -> dict[str, str]:
    """The settings of a backend that finds things with the tiny Grounding DINO."""
    models = fixtures("grounding_dino")
    return {
        "GROUNDING_DINO_WEIGHTS": str(models / "model.onnx"),
        "BOX_THRESHOLD": "0.45",
        "TEXT_THRESHOLD": "0.3",
        "NMS_IOU": "1",
    }


def images() -> list[Path]:
    """The images that something is looked for on."""
    return [fixtures("grounding_dino") / name for name in ("wide.png", "grey.png")]


def fixtures(example: str) -> Path:
    """The folder of an example's tiny models and images."""
    return ROOT / "examples" / example / "tests/fixtures"

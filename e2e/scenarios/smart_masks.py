"""Clicks and rectangles on uploaded images become masks, with the tiny models of the tests."""

from pathlib import Path

from e2e.checks import check, equal
from e2e.images import png
from e2e.stage import Stage

ROOT = Path(__file__).resolve().parents[2]
LABEL_CONFIG = """
<View>
  <Image name="image" value="$image" zoom="true"/>
  <BrushLabels name="tag" toName="image"><Label value="Banana"/><Label value="Orange"/></BrushLabels>
  <KeyPointLabels name="tag2" toName="image" smart="true"><Label value="Banana"/><Label value="Orange"/></KeyPointLabels>
  <RectangleLabels name="tag3" toName="image" smart="true"><Label value="Banana"/><Label value="Orange"/></RectangleLabels>
</View>
"""
SIZES = [(64, 48), (31, 77)]


def segment_anything(stage: Stage) -> None:
    """Plays an interactive session with `segment_anything_model`."""
    smart_masks(stage, "segment_anything_model")


def segment_anything_2(stage: Stage) -> None:
    """Plays an interactive session with `segment_anything_2_image`."""
    smart_masks(stage, "segment_anything_2_image")


def smart_masks(stage: Stage, program: str) -> None:
    """Points at things on two images and looks at the masks."""
    with stage.step("images are uploaded and the backend connects"):
        models = ROOT / "examples" / program / "tests" / "fixtures"
        files = {
            f"SAM_{part.upper()}": str(models / f"tiny.{part}.onnx")
            for part in ("encoder", "decoder")
        }
        backend = stage.backend(program, {**files, "ORT_DYLIB_PATH": str(ROOT / ".ort")})
        recorder = stage.recorder(backend)
        project = stage.project(LABEL_CONFIG)
        for index, (width, height) in enumerate(SIZES):
            project.upload_image(f"image{index}.png", png(width, height, (200, 90 * index, 90)))
        tasks = [task["id"] for task in stage.client.tasks(project.id)]
        project.connect(recorder.url)
        project.update_connection(is_interactive=True)

    with stage.step("a click and a rectangle become a mask for each label, of the image's size"):
        for task, size in zip(tasks, SIZES, strict=True):
            regions = project.interactive(
                task, {"result": [key_point("Banana"), rectangle("Orange")]}
            )
            equal(
                [region["value"]["brushlabels"] for region in regions],
                [["Banana"], ["Orange"]],
                "labels",
            )
            for region in regions:
                equal(
                    (region["type"], region["from_name"], region["value"]["format"]),
                    ("brushlabels", "tag", "rle"),
                    "kind",
                )
                equal((region["original_width"], region["original_height"]), size, "size")
                announced = int.from_bytes(bytes(region["value"]["rle"][:4]), "big")
                equal(announced, 4 * size[0] * size[1], "values in the mask")
                check(0 <= region["score"] <= 1, f"score {region['score']}")

    with stage.step("without a click there is nothing to say"):
        stage.client.retrieve_predictions(project.id)
        regions = [prediction["result"] for prediction in stage.client.predictions(project.id)]
        check(not any(regions), f"regions out of nowhere: {regions}")
        equal(
            [call.path for call in recorder.exchanges if call.status >= 300], [], "failed requests"
        )
        equal(backend.stop(), 0, "exit status after SIGTERM")


def key_point(label: str) -> dict[str, object]:
    """A click with the smart key point."""
    value = {"x": 49.4, "y": 59.9, "width": 0.3, "labels": [label], "keypointlabels": [label]}
    return drawn("tag2", "keypointlabels", value) | {"is_positive": True}


def rectangle(label: str) -> dict[str, object]:
    """A rectangle drawn with the smart tool."""
    value = {"x": 20, "y": 20, "width": 50, "height": 50, "rotation": 0, "rectanglelabels": [label]}
    return drawn("tag3", "rectanglelabels", value)


def drawn(from_name: str, kind: str, value: dict[str, object]) -> dict[str, object]:
    """A region of the interactive context."""
    return {
        "id": from_name,
        "from_name": from_name,
        "to_name": "image",
        "type": kind,
        "value": value,
    }

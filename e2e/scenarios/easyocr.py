"""Lines of uploaded images, found and read with small models of easyocr."""

import json
from pathlib import Path
from typing import Any

from e2e.checks import check, equal
from e2e.stage import Stage

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "examples" / "easyocr" / "tests" / "fixtures"
LABEL_CONFIG = """
<View>
  <Image name="image" value="$image"/>
  <Labels name="label" toName="image"><Label value="Text"/><Label value="Handwriting"/></Labels>
  <Rectangle name="bbox" toName="image"/>
  <Polygon name="poly" toName="image"/>
  <TextArea name="transcription" toName="image" editable="true" perRegion="true" displayMode="region-list"/>
</View>
"""
IMAGES = ["lines.png", "faint.png", "blank.png"]
SETTINGS = {
    "ORT_DYLIB_PATH": str(ROOT / ".ort"),
    "LANG_LIST": "en",
    "SCORE_THRESHOLD": "0",
    "EASYOCR_DETECTOR": str(FIXTURES / "ink.onnx"),
    "EASYOCR_MODELS": str(FIXTURES),
}


def easyocr(stage: Stage) -> None:
    """Retrieves predictions for whole pages, one of them without text."""
    expected = json.loads((FIXTURES / "expected.json").read_text(encoding="utf-8"))["pages"]
    with stage.step("images are uploaded and the backend connects"):
        backend = stage.backend("easyocr", SETTINGS)
        recorder = stage.recorder(backend)
        project = stage.project(LABEL_CONFIG)
        for name in IMAGES:
            project.upload_image(name, (FIXTURES / name).read_bytes())
        tasks = [task["id"] for task in stage.client.tasks(project.id)]
        project.connect(recorder.url)

    with stage.step("each line is a polygon with its text and its label"):
        stage.client.retrieve_predictions(project.id)
        for task, name in zip(tasks, IMAGES, strict=True):
            prediction = project.predicted(task)[0]
            equal(prediction["model_version"], "EasyOCR-v0.0.1", "model version")
            lines = expected[Path(name).stem]["default"]
            texts = of_kind(prediction["result"], "textarea")
            equal(len(texts), len(lines), f"lines of {name}")
            for kind in ("polygon", "labels"):
                shapes = of_kind(prediction["result"], kind)
                ids = [region["id"] for region in shapes]
                equal(ids, [region["id"] for region in texts], f"ids of {kind}")
            for region, (corners, _, _) in zip(texts, lines, strict=True):
                check(is_near(region, corners), f"{region} is not at {corners}")
        equal([call.path for call in recorder.exchanges if call.status >= 300], [], "failures")
        equal(backend.stop(), 0, "exit status after SIGTERM")


def of_kind(result: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """The regions of one kind."""
    return [region for region in result if region["type"] == kind]


def is_near(region: dict[str, Any], corners: list[list[float]]) -> bool:
    """Whether a region's corners are those that the library finds, within a pixel."""
    size = region["original_width"], region["original_height"]
    return all(
        abs(percent * side / 100 - min(max(pixels, 0), side)) <= 1
        for point, corner in zip(region["value"]["points"], corners, strict=True)
        for percent, pixels, side in zip(point, corner, size, strict=True)
    )

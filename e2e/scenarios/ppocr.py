"""Lines of uploaded images, found and read with small models of ppocr."""

import json
from pathlib import Path

from e2e.checks import equal
from e2e.stage import Stage

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "examples" / "ppocr" / "tests" / "fixtures"
LABEL_CONFIG = """
<View>
  <Image name="image" value="$image"/>
  <Labels name="label" toName="image"><Label value="Text"/><Label value="Handwriting"/></Labels>
  <Polygon name="poly" toName="image"/>
  <TextArea name="transcription" toName="image" editable="true" perRegion="true" displayMode="region-list"/>
</View>
"""
IMAGES = ["lines.png", "slanted.png", "blank.png"]
SETTINGS = {
    "ORT_DYLIB_PATH": str(ROOT / ".ort"),
    "PIPELINE": "rapidocr",
    "SCORE_THRESHOLD": "0",
    "DET_MODEL": str(FIXTURES / "tiny-det.onnx"),
    "REC_MODEL": str(FIXTURES / "tiny-rec.onnx"),
    "TEXTLINE_MODEL": str(FIXTURES / "tiny-cls.onnx"),
}


def ppocr(stage: Stage) -> None:
    """Retrieves predictions for whole pages, one of them without text."""
    expected = json.loads((FIXTURES / "expected.json").read_text(encoding="utf-8"))
    with stage.step("images are uploaded and the backend connects"):
        backend = stage.backend("ppocr", SETTINGS)
        recorder = stage.recorder(backend)
        project = stage.project(LABEL_CONFIG)
        for name in IMAGES:
            project.upload_image(name, (FIXTURES / name).read_bytes())
        tasks = [task["id"] for task in stage.client.tasks(project.id)]
        project.connect(recorder.url)

    with stage.step("each line is a polygon with its text and its label"):
        stage.client.retrieve_predictions(project.id)
        for task, name in zip(tasks, IMAGES, strict=True):
            result = project.predicted(task)[0]["result"]
            lines = expected[Path(name).stem]
            texts = [region for region in result if region["type"] == "textarea"]
            equal(
                [region["value"]["text"] for region in texts],
                [[line["text"]] for line in lines],
                "texts",
            )
            for kind in ("polygon", "labels"):
                shapes = [region["id"] for region in result if region["type"] == kind]
                equal(shapes, [region["id"] for region in texts], f"ids of {kind}")
        equal([call.path for call in recorder.exchanges if call.status >= 300], [], "failures")
        equal(backend.stop(), 0, "exit status after SIGTERM")

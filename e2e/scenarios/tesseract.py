"""Text in drawn regions, and whole pages, with the program Tesseract."""

from pathlib import Path
from typing import Any

from e2e.checks import check, equal
from e2e.stage import Stage

FIXTURES = Path(__file__).resolve().parents[2] / "examples" / "tesseract" / "tests" / "fixtures"
LABEL_CONFIG = """
<View>
  <Image name="image" value="$image" zoom="true" rotateControl="true"/>
  <RectangleLabels name="bbox" toName="image" smart="true"><Label value="Title"/><Label value="Name"/></RectangleLabels>
  <TextArea name="transcription" toName="image" editable="true" perRegion="true" maxSubmissions="1"
            displayMode="region-list"/>
</View>
"""
SIZE = (1080, 1349)
# A photo that lies on its side, and the same page upright.
IMAGES = ["card.png", "card_turned.jpg"]
PLACES = {
    "KENAPA": (2.589, 15.597, 44.39, 12.438),
    "HARUS": (3.083, 30.997, 37.238, 11.747),
}


def tesseract(stage: Stage) -> None:
    """Draws rectangles on uploaded images, and retrieves predictions for whole pages."""
    with stage.step("images are uploaded and the backend connects"):
        backend = stage.backend("tesseract", {"TESSERACT_LANG": "eng"})
        recorder = stage.recorder(backend)
        project = stage.project(LABEL_CONFIG)
        for name in IMAGES:
            project.upload_image(name, (FIXTURES / name).read_bytes())
        tasks = [task["id"] for task in stage.client.tasks(project.id)]
        project.connect(recorder.url)
        project.update_connection(is_interactive=True)

    with stage.step("the newest rectangle without a text is read, on an upright image"):
        for task in tasks:
            done = [rectangle("KENAPA"), text("KENAPA")]
            for drawn, others in [("KENAPA", []), ("HARUS", done)]:
                context = {"result": [*others, rectangle(drawn)]}
                regions = project.interactive(task, context)
                equal(len(regions), 2, "regions")
                found = regions[0]
                equal(found["value"]["text"], [drawn], "text")
                equal((found["id"], found["type"]), (drawn, "textarea"), "region of the text")
                equal((found["original_width"], found["original_height"]), SIZE, "size")
                equal(regions[1], rectangle(drawn), "drawn region")

    with stage.step("without a drawn region there are no predictions"):
        equal(project.interactive(tasks[0], {"result": [*done, text("HARUS")]}), [], "regions")
        stage.client.retrieve_predictions(project.id)
        equal(stage.client.predictions(project.id), [], "predictions")
        equal([call.path for call in recorder.exchanges if call.status >= 300], [], "failures")
        equal(backend.stop(), 0, "exit status after SIGTERM")

    with stage.step("whole pages become rectangles with texts when they are asked for"):
        backend = stage.backend("tesseract", {"TESSERACT_LANG": "eng", "READ_PAGES": "lines"})
        project.update_connection(url=backend.url)
        stage.client.retrieve_predictions(project.id)
        predictions = stage.client.predictions(project.id)
        equal(len(predictions), len(tasks), "predictions")
        for prediction in predictions:
            texts = [region for region in prediction["result"] if region["type"] == "textarea"]
            words = [word for region in texts for word in region["value"]["text"][0].split()]
            equal(words, ["KENAPA", "HARUS", "PUNYA"], "words of a page")
            shapes = [region for region in prediction["result"] if region not in texts]
            equal([shape["id"] for shape in shapes], [text["id"] for text in texts], "ids")
            check(prediction["score"] > 0.5, f"score {prediction['score']}")
        equal(backend.stop(), 0, "exit status after SIGTERM")


def rectangle(name: str) -> dict[str, Any]:
    """A rectangle around a word, drawn with the smart tool."""
    return region(name, "bbox", "rectanglelabels", {"rectanglelabels": ["Title"]})


def text(name: str) -> dict[str, Any]:
    """The text of a rectangle that was read before."""
    return region(name, "transcription", "textarea", {"text": [name]})


def region(name: str, from_name: str, kind: str, value: dict[str, Any]) -> dict[str, Any]:
    """A region of the interactive context; its id is the word."""
    place = dict(zip(("x", "y", "width", "height"), PLACES[name], strict=True))
    return {
        "id": name,
        "from_name": from_name,
        "to_name": "image",
        "type": kind,
        "original_width": SIZE[0],
        "original_height": SIZE[1],
        "image_rotation": 0,
        "value": place | {"rotation": 0} | value,
    }

"""Images uploaded to Label Studio, which the backend fetches back with its token."""

from e2e.checks import check, equal
from e2e.images import png
from e2e.stage import Stage

LABEL_CONFIG = """
<View>
  <Image name="image" value="$image"/>
  <RectangleLabels name="box" toName="image" smart="true"><Label value="Cat"/><Label value="Dog"/></RectangleLabels>
</View>
"""
SIZES = [(64, 48), (31, 77), (200, 10)]


def images(stage: Stage) -> None:
    """The sizes in the predictions are those of the images, so the images were read."""
    with stage.step("images are uploaded and the backend connects"):
        backend = stage.backend("the_simplest_backend", {"FETCH_IMAGES": "1"})
        recorder = stage.recorder(backend)
        project = stage.project(LABEL_CONFIG)
        for index, (width, height) in enumerate(SIZES):
            project.upload_image(f"image{index}.png", png(width, height, (30, 60 * index, 90)))
        tasks = stage.client.tasks(project.id)
        equal(len(tasks), len(SIZES), "tasks")
        project.connect(recorder.url)

    with stage.step("the backend fetches each image from Label Studio"):
        stage.client.retrieve_predictions(project.id)
        found = []
        for task in tasks:
            region = project.predicted(task["id"])[0]["result"][0]
            found.append((region["original_width"], region["original_height"]))
            corners = {
                "x": 10,
                "y": 20,
                "width": 30,
                "height": 40,
                "rotation": 0,
                "rectanglelabels": ["Cat"],
            }
            equal((region["value"], region["image_rotation"]), (corners, 0), "rectangle")
        equal(found, SIZES, "sizes read from the images")

    with stage.step("a smart rectangle is answered where it was drawn"):
        project.update_connection(is_interactive=True)
        value = {
            "x": 11.5,
            "y": 22.5,
            "width": 5,
            "height": 6,
            "rotation": 0,
            "rectanglelabels": ["Cat"],
        }
        drawn = {
            "id": "drawn",
            "from_name": "box",
            "to_name": "image",
            "type": "rectanglelabels",
            "value": value,
        }
        region = project.interactive(tasks[1]["id"], {"result": [drawn]})[0]
        equal((region["value"]["x"], region["value"]["y"]), (11.5, 22.5), "corner")
        equal((region["original_width"], region["original_height"]), SIZES[1], "size")

    with stage.step("training goes on from images as well"):
        before = project.model_version()
        project.train()
        check(project.model_version() != before, f"the model version is still {before}")
        equal(
            [call.path for call in recorder.exchanges if call.status >= 300], [], "failed requests"
        )
        equal(backend.stop(), 0, "exit status after SIGTERM")

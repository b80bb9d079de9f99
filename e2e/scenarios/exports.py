"""What backends find survives Label Studio's own exports: COCO, YOLO, Pascal VOC and masks."""

import base64
import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from label_studio_sdk.converter import Converter, brush

from e2e.backend import Backend
from e2e.checks import equal, status
from e2e.scenarios.found_objects import CLASSES, NOTHING, ROOT, control, fixtures, prompted, typed
from e2e.scenarios.smart_masks import rectangle
from e2e.stage import Stage

LABELS = "".join(f'<Label value="{name}"/>' for name in CLASSES)
FRUIT = '<Label value="Banana"/><Label value="Orange"/>'
TYPED = """<View><Image name="image" value="$image"/><TextArea name="prompt" toName="image"/>
  <{tag} name="label" toName="image"><Label value="cats"/><Label value="house"/></{tag}></View>"""
# Without <KeyPointLabels>: with it Label Studio's YOLO export has key points only.
SMART = """<View><Image name="image" value="$image"/><{tag} name="tag" toName="image">{fruit}</{tag}>
  <RectangleLabels name="tag3" toName="image" smart="true">{fruit}</RectangleLabels></View>"""


@dataclass(frozen=True)
class Case:
    """A backend, what it finds, and in which images."""

    program: str
    environment: dict[str, str]
    label_config: str
    images: list[Path]
    kinds: set[str]
    context: list[dict[str, object]] = field(default_factory=list)


def exports(stage: Stage) -> None:
    """Each visual backend's regions are counted in the exports of Label Studio."""
    for case in cases():
        kinds = ", ".join(sorted(case.kinds))
        with stage.step(f"{case.program}: all {kinds} are exported"):
            environment = {**NOTHING, "ORT_DYLIB_PATH": str(ROOT / ".ort"), **case.environment}
            with stage.backend(case.program, environment) as backend:
                tasks = labelled(backend, case)
            found = {region["type"] for task in tasks for region in regions(task)}
            equal(found, case.kinds, "kinds of regions")
            check_exports(case.label_config, tasks)


def cases() -> list[Case]:
    """The visual backends, with the tiny networks of their tests."""
    yolo, mmdetection = fixtures("yolo"), fixtures("mmdetection-3")
    controls = [
        control("RectangleLabels", "boxes", "tiny-detect.onnx", 0.3, LABELS),
        control("PolygonLabels", "outlines", "tiny-segment.onnx", 0.9, LABELS),
        control("BrushLabels", "masks", "tiny-segment.onnx", 0.9, LABELS),
    ]
    boxes = '<Label value="Airplane"/><Label value="Car"/>'
    cat = [typed("cat")]
    drawn = [rectangle("Orange")]
    masks = sam_files("segment_anything_model") | {"USE_SAM": "true"}
    images = [fixtures("grounding_dino") / "wide.png"]
    return [
        Case(
            "yolo",
            {"MODEL_ROOT": str(yolo)},
            f'<View><Image name="image" value="$image"/>{"".join(controls)}</View>',
            [yolo / "images/wide.png", yolo / "images/tall.png"],
            {"rectanglelabels", "polygonlabels", "brushlabels"},
        ),
        Case(
            "mmdetection-3",
            {"CHECKPOINT_FILE": str(mmdetection / "rtmdet-raw.onnx")},
            f"""<View><Image name="image" value="$image"/><RectangleLabels name="boxes" toName="image"
              model_score_threshold="0.7">{boxes}</RectangleLabels></View>""",
            [mmdetection / "wide.png", mmdetection / "tall.png"],
            {"rectanglelabels"},
        ),
        Case(
            "grounding_dino",
            prompted(),
            TYPED.format(tag="RectangleLabels"),
            images,
            {"rectanglelabels"},
            cat,
        ),
        Case(
            "grounding_sam",
            prompted(),
            TYPED.format(tag="RectangleLabels"),
            images,
            {"rectanglelabels"},
            cat,
        ),
        Case(
            "grounding_sam",
            prompted() | masks,
            TYPED.format(tag="PolygonLabels"),
            images,
            {"polygonlabels"},
            cat,
        ),
        *(
            Case(
                program,
                sam_files(program),
                SMART.format(tag=tag, fruit=FRUIT),
                images,
                {tag.lower()},
                drawn,
            )
            for program in ("segment_anything_model", "segment_anything_2_image")
            for tag in ("BrushLabels", "PolygonLabels")
        ),
    ]


def sam_files(example: str) -> dict[str, str]:
    """The settings of a backend with the tiny SAM of an example."""
    models = fixtures(example)
    return {
        f"SAM_{part.upper()}": str(models / f"tiny.{part}.onnx") for part in ("encoder", "decoder")
    }


def labelled(backend: Backend, case: Case) -> list[dict[str, Any]]:
    """Asks a backend, and returns the tasks with its answers as annotations, as Label Studio exports
    them.
    """
    images = [base64.b64encode(image.read_bytes()).decode() for image in case.images]
    tasks = [
        {"id": index, "data": {"image": f"data:image/png;base64,{image}"}}
        for index, image in enumerate(images)
    ]
    body = {
        "tasks": tasks,
        "project": "1",
        "label_config": case.label_config,
        "params": {"context": {"result": case.context}},
    }
    response = requests.post(f"{backend.url}/predict", json=body, timeout=100)
    status(response, 200)
    results = response.json()["results"]
    equal(len(results), len(tasks), "predictions")
    return [
        {
            "id": index,
            "data": {"image": f"image{index}.png"},
            "annotations": [{"id": index, "result": prediction["result"]}],
        }
        for index, prediction in enumerate(results)
    ]


def check_exports(label_config: str, tasks: list[dict[str, Any]]) -> None:
    """Every region of the tasks is in each export that knows its kind."""
    count = {
        kind: sum(region["type"] == kind for task in tasks for region in regions(task))
        for kind in ("rectanglelabels", "polygonlabels", "brushlabels")
    }
    rectangles, polygons = count["rectanglelabels"], count["polygonlabels"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        export = folder / "export.json"
        export.write_text(json.dumps(tasks), encoding="utf-8")
        converter = Converter(label_config, str(folder), download_resources=False)
        if rectangles + polygons:
            converter.convert_to_coco(str(export), str(folder / "coco"), is_dir=False)
            coco = json.loads((folder / "coco/result.json").read_text(encoding="utf-8"))
            equal(len(coco["images"]), len(tasks), "images in COCO")
            equal(len(coco["annotations"]), rectangles + polygons, "annotations in COCO")
            converter.convert_to_yolo(str(export), str(folder / "yolo"), is_dir=False)
            lines = [
                line
                for path in (folder / "yolo/labels").glob("*.txt")
                for line in path.read_text(encoding="utf-8").splitlines()
            ]
            equal(len(lines), rectangles + polygons, "lines in YOLO")
        if rectangles:
            converter.convert_to_voc(str(export), str(folder / "voc"), is_dir=False)
            files = list((folder / "voc/Annotations").glob("*.xml"))
            objects = [path.read_text(encoding="utf-8").count("<object>") for path in files]
            equal((len(files), sum(objects)), (len(tasks), rectangles), "files, objects in VOC")
        if count["brushlabels"]:
            for item in converter.iter_from_json_file(str(export)):
                brush.convert_task(item, str(folder), out_format="png")
            equal(len(list(folder.glob("*.png"))), count["brushlabels"], "exported masks")


def regions(task: dict[str, Any]) -> list[dict[str, Any]]:
    """The regions of a task's annotation."""
    result: list[dict[str, Any]] = task["annotations"][0]["result"]
    return result

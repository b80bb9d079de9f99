"""Makes the files own_*.json: cases beside those of core_*.json, in the same form, answered by
Label Studio's own SDK.

    pip install label-studio-sdk==2.1.2 && python vectors/make_own.py

label_map and match_labels are answered by the methods of the Python original
(HumanSignal/label-studio-ml-backend), whose folder goes on PYTHONPATH. Ids are replaced by a
placeholder, paths of this machine do not occur.
"""

import difflib
import json
import logging
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

os.environ.pop("LABEL_STUDIO_URL", None)
_ROOT = tempfile.mkdtemp()
os.environ["LOCAL_FILES_DOCUMENT_ROOT"] = _ROOT
(Path(_ROOT) / "dir").mkdir()
(Path(_ROOT) / "dir/1.jpg").write_text("content")

import requests
from label_studio_sdk._extensions.label_studio_tools.core.label_config import parse_config
from label_studio_sdk._extensions.label_studio_tools.core.utils import io
from label_studio_sdk._extensions.label_studio_tools.postprocessing.video import extract_key_frames
from label_studio_sdk.converter.brush import encode_rle, mask2rle
from label_studio_sdk.label_interface import LabelInterface
from own_cases import (
    CONFIGS,
    IMAGE,
    INTERFACE,
    LABEL_CALLS,
    PATHS,
    PAYLOADS,
    PREDICTIONS,
    TOKEN,
)

logging.disable(logging.CRITICAL)
HERE = Path(__file__).parent


def configs() -> Iterator[Any]:
    for name, config in CONFIGS.items():
        interface = LabelInterface(config)
        try:
            interface.validate()
            valid = "ok"
        except Exception as error:
            valid = f"{type(error).__name__}: {error}"
        yield {
            "name": name,
            "config": config,
            "parse_config": parse_config(config),
            "controls": [control_view(control) for control in interface.controls],
            "objects": [object_view(tag) for tag in interface.objects],
            "validate": valid,
        }


def control_view(control: Any) -> Any:
    return {
        "name": control.name,
        "tag": control.tag,
        "class": type(control).__name__,
        "to_name": control.to_name,
        "labels": control.labels or [],
        "labels_attrs": {
            text: {
                "tag": label.tag,
                "attr": label.attr,
                "value": label.value,
                "parent_name": label.parent_name,
            }
            for text, label in (control.labels_attrs or {}).items()
        },
        "objects": [tag.name for tag in control.objects or []],
        "dynamic_value": bool(control.dynamic_value),
        "conditionals": control.conditionals,
        "as_tuple": control.as_tuple(),
        "attr": control.attr,
    }


def object_view(tag: Any) -> Any:
    return {
        "name": tag.name,
        "tag": tag.tag,
        "class": type(tag).__name__,
        "value": tag.value,
        "value_name": tag.value_name if tag.value is not None else "",
        "value_is_variable": bool(tag.value and tag.value_is_variable),
        "value_type": tag.value_type,
        "is_image_list": getattr(tag, "is_image_list", None),
    }


def interface() -> Any:
    tags = LabelInterface(INTERFACE)

    def attempt(run: Any) -> Any:
        try:
            return run()
        except Exception as error:
            return {"error": f"{type(error).__name__}: {error}".splitlines()[0]}

    def label(control: Any, kwargs: Any) -> Any:
        made = tags.get_control(control).label(**kwargs)
        return {"region": {**made._dict(), "id": "<uuid4>"}}

    def create(data: Any) -> Any:
        return {
            "regions": [
                {**made._dict(), "id": "<uuid4>"}
                for made in tags.create_regions(json.loads(json.dumps(data)))
            ]
        }

    def validate(prediction: Any) -> Any:
        errors = tags.validate_prediction(prediction, return_errors=True)
        return {"valid": not errors, "errors": errors}

    return {
        "config": INTERFACE,
        "label_calls": [
            {
                "control": name,
                "label_kwargs": dict(kwargs),
                **attempt(lambda: label(name, dict(kwargs))),
            }
            for name, kwargs in LABEL_CALLS
        ],
        "create_regions": [{"data": data, **attempt(lambda: create(data))} for data in PAYLOADS],
        "validate_prediction": [
            {"prediction": prediction, **attempt(lambda: validate(prediction))}
            for prediction in PREDICTIONS
        ],
    }


def label_maps() -> Iterator[Any]:
    from label_studio_ml.model import LabelStudioMLBase

    labels = {
        "first_exact_then_case": ('<Label value="car"/><Label value="CAR"/>', ["car", "Car"]),
        "several_labels_one_name": (
            '<Label value="A" predicted_values="x"/><Label value="B" predicted_values="x,y"/>',
            ["x", "y"],
        ),
        "name_with_a_comma": (
            '<Label value="A" predicted_values="traffic light,stop sign"/>',
            ["traffic light", "stop sign", "traffic light,stop sign"],
        ),
        "empty_predicted_values": (
            '<Label value="dog" predicted_values=""/><Label value="Cat" predicted_values=" , "/>',
            ["dog", "cat"],
        ),
        "value_and_predicted_value": (
            '<Label value="dog" predicted_values="wolf"/>',
            ["dog", "wolf"],
        ),
        "nothing_matches": ('<Label value="dog"/>', ["cat"]),
        "no_model_names": ('<Label value="dog" predicted_values="dog"/>', []),
    }
    for name, (inner, names) in labels.items():
        config = f'<View>{IMAGE}<RectangleLabels name="label" toName="i">{inner}</RectangleLabels></View>'
        model = LabelStudioMLBase(project_id="1", label_config=config)
        yield {
            "name": name,
            "config": config,
            "model_names": names,
            "map": model.build_label_map("label", names),
        }


def matches() -> Iterator[Any]:
    from label_studio_ml.utils import match_labels

    for text, labels in (
        ("Sports\x85Politics\u2028x", ["politics", "sports"]),
        ("\n", ["b", "a"]),
        ("a\r\rb", ["a", "b"]),
        ("ab\x1cba\x1dcd", ["dc", "ba", "ab"]),
        ("naïve façade", ["naive facade", "naïve"]),
        ("x" * 150 + "abc", ["abc", "x" * 220 + "abc"]),
        ("ab" * 100, ["ab" * 101, "ba" * 99]),
        ("the answer is positive", ["Positive", "Negative", "the answer"]),
        ("😀 happy", ["happy", "sad 😀"]),
        ("abcd", ["bcda", "abdc", "dcba"]),
        (" \t", ["", "x"]),
    ):
        lines = text.splitlines()
        yield {
            "input": text,
            "labels": labels,
            "lines": lines,
            "ratios": [
                [difflib.SequenceMatcher(None, line, label).ratio() for label in labels]
                for line in lines
            ],
            "matched": match_labels(text, labels),
        }


def masks() -> Iterator[Any]:
    import numpy as np

    def case(name: str, mask: Any = None, runs: Any = None) -> Any:
        if runs:
            rle = encode_rle(
                np.concatenate([np.full(length, value, dtype=np.uint8) for value, length in runs])
            )
            return {"name": name, "rle": [int(byte) for byte in rle], "runs": runs}
        rle = mask2rle(np.asarray(mask, dtype=np.uint8))
        return {"name": name, "rle": [int(byte) for byte in rle], "mask": mask}

    yield case("runs_of_every_class", runs=[[1, 2], [2, 9], [3, 17], [4, 300], [5, 1]])
    yield case("a_packet_and_one_more", runs=[[9, 65537], [8, 65536 * 2]])
    yield case("no_run_at_all", runs=[[value, 1] for value in range(20)])
    yield case("shades", [[0, 1, 2], [254, 255, 128]])
    yield case("one_row", [[255, 0, 0, 255, 255]])
    yield case("one_column", [[255], [0], [255]])
    yield case("empty_mask", [[0] * 7] * 3)
    yield case("full_mask", [[255] * 16] * 4)
    yield case("stripes", [[255 * ((x + y) % 2) for x in range(9)] for y in range(5)])


def keyframes() -> Any:
    def track(name: str, sequence: Any, **value: Any) -> Iterator[Any]:
        yield {
            "id": name,
            "type": "videorectangle",
            "from_name": "box",
            "to_name": "video",
            "value": {**value, "sequence": sequence},
        }

    def frame(number: Any, time: Any, **more: Any) -> Any:
        return {
            "x": 1.5 * number,
            "y": 10,
            "width": 5,
            "height": 6.25,
            "rotation": 0,
            "frame": number,
            "time": time,
            "enabled": True,
            **more,
        }

    result = [
        *track("held_to_the_end", [frame(2, 0.08)], framesCount=5, duration=0.2),
        *track(
            "switched_off_and_on",
            [frame(1, 0.04), frame(3, 0.12, enabled=False), frame(6, 0.24)],
            framesCount=7,
            duration=0.28,
        ),
        *track(
            "turned",
            [frame(1, 0, rotation=350), frame(4, 0.1, rotation=10)],
            framesCount=4,
            duration=0.1,
        ),
        *track("neighbours", [frame(1, 0.5), frame(2, 0.75)], framesCount=2, duration=1),
        *track("beyond_the_end", [frame(8, 0.3)], framesCount=5, duration=0.2),
        *track(
            "labelled",
            [frame(1, 0.0), frame(3, 1 / 3)],
            framesCount=3,
            duration=1 / 3,
            labels=["Man"],
        ),
        *track("nothing", [], framesCount=3, duration=1),
        {
            "id": "other",
            "type": "labels",
            "from_name": "l",
            "to_name": "video",
            "value": {"labels": ["Man"]},
        },
    ]
    return {"input": json.loads(json.dumps(result)), "output": extract_key_frames(result)}


def paths() -> Iterator[Any]:
    for name, (url, host) in PATHS.items():
        asked: list[Any] = []

        def get(target: Any, headers: Any, asked: Any = asked, **_: Any) -> Any:
            asked.append(
                {
                    "method": "GET",
                    "url": target,
                    "authorization": headers.get("Authorization"),
                    "user_agent_set": "User-Agent" in headers,
                }
            )
            answer = requests.Response()
            answer.status_code, answer._content = 200, b"content"
            return answer

        case = {"name": name, "url": url, "hostname": host, "access_token": TOKEN, "task_id": 7}
        with tempfile.TemporaryDirectory() as cache, mock.patch.object(requests, "get", get):
            try:
                path = io.get_local_path(
                    url, cache_dir=cache, hostname=host, access_token=TOKEN, task_id=7
                )
                case["returned"] = path.replace(cache, "<cache_dir>")
            except Exception as error:
                case["error"] = f"{type(error).__name__}: {error}"
        yield {**case, "requests": asked}


def write(name: str, **content: Any) -> None:
    """One case to a line."""
    parts = []
    for key, value in content.items():
        shown = json.dumps(value, ensure_ascii=False)
        if isinstance(value, list):
            shown = (
                "[\n  "
                + ",\n  ".join(json.dumps(case, ensure_ascii=False) for case in value)
                + "\n ]"
            )
        parts.append(f' "{key}": {shown}')
    (HERE / f"own_{name}.json").write_text("{\n" + ",\n".join(parts) + "\n}\n")


if __name__ == "__main__":
    write("config", cases=list(configs()))
    write("label_interface", **interface())
    write("label_map", cases=list(label_maps()))
    write("match_labels", cases=list(matches()))
    write("rle", cases=list(masks()))
    write("video_keyframes", **keyframes())
    write("local_path", cases=list(paths()))

"""The base class of models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest.mock import mock_open

import pytest
from conftest import LABEL_CONFIG, ClientOf, Predict
from label_studio_sdk._extensions.label_studio_tools.core.label_config import parse_config
from label_studio_sdk.label_interface.interface import LabelInterface
from semver import Version

from label_studio_ml import model as model_module
from label_studio_ml.model import LabelStudioMLBase, predict_fn, update_fn

VECTORS = Path(__file__).parents[3] / "vectors"
LABEL_MAPS = json.loads((VECTORS / "core_label_map.json").read_text())["cases"]
PARSED = json.loads((VECTORS / "core_config.json").read_text())["cases"]


def test_a_new_project_has_the_initial_version() -> None:
    model = LabelStudioMLBase("7", LABEL_CONFIG)
    assert str(model.model_version) == model.get("model_version") == "0.0.1"
    assert isinstance(model.model_version, Version)
    assert model.model_version.minor == 0
    assert model.label_config == LABEL_CONFIG
    assert model.extra_params == {}
    assert model.has("label_config") and not model.has("nothing")
    assert LabelStudioMLBase().project_id == ""


def test_a_version_may_be_any_text() -> None:
    model = LabelStudioMLBase("7")
    model.set("model_version", "Model-v0.0.1")
    assert model.model_version == "Model-v0.0.1"


@pytest.mark.parametrize(
    "old, new", [("0.0.1", "0.1.0"), ("Model-v1.2.3", "Model-v1.3.0"), ("first", "first-v0.1.0")]
)
def test_a_bumped_version_is_another_and_stays(old: str, new: str) -> None:
    model = LabelStudioMLBase("7")
    model.set("model_version", old)
    assert str(model.bump_model_version()) == new
    assert LabelStudioMLBase("7").get("model_version") == new


def test_extra_params_are_json() -> None:
    model = LabelStudioMLBase("7")
    model.set_extra_params('{"a": 1}')
    assert model.extra_params == {"a": 1}
    with pytest.raises(ValueError, match="must be a string"):
        model.set_extra_params({"a": 1})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "case", [case for case in PARSED if case.get("parse_config")], ids=lambda case: case["name"]
)
def test_label_configs_are_parsed_as_recorded(case: dict[str, Any]) -> None:
    if isinstance(case["parse_config"], dict) and "error" not in case["parse_config"]:
        assert LabelStudioMLBase("7", case["config"]).parsed_label_config == case["parse_config"]


@pytest.mark.parametrize("case", LABEL_MAPS, ids=lambda case: case["name"])
def test_labels_are_mapped_as_recorded(case: dict[str, Any]) -> None:
    label_map = LabelStudioMLBase("7", case["config"]).build_label_map("label", case["model_names"])
    # A label that equals a name but for its case stands for that name, not for one in lower case
    # that is not in the list.
    names = {name.lower(): name for name in case["model_names"]}
    assert label_map == {
        names.get(name.lower(), name): label for name, label in case["map"].items()
    }


def test_filters_get_names_as_they_are_written() -> None:
    config = LABEL_CONFIG.replace("mood", "Mood").replace('"text"', '"Text"')
    model = LabelStudioMLBase("7", config)
    find = model.get_first_tag_occurence
    assert find("Choices", ("Text", "HyperText")) == ("Mood", "Text", "text")
    assert find("Choices", "Text", name_filter=lambda name: name == "Mood")[0] == "Mood"
    assert find("Choices", "Text", name_filter=lambda name: name == "mood")[0] == "Mood"
    assert find("Choices", "Text", to_name_filter=lambda name: name == "Text")[1] == "Text"
    with pytest.raises(ValueError, match="No control tag of type"):
        find("Choices", "Text", name_filter=lambda name: name == "other")


def test_only_training_events_reach_fit() -> None:
    class Model(LabelStudioMLBase):
        def fit(self, event: str, data: dict[str, Any], **kwargs: Any) -> Any:
            return [event, data, kwargs]

    model = Model("7")
    assert model.process_event("PROJECT_UPDATED", {}, 1, {}) is None
    assert model.process_event("START_TRAINING", {"a": 1}, 2, {"b": 3}) == [
        "START_TRAINING",
        {"a": 1},
        {"job_id": 2, "b": 3},
    ]


def test_functions_may_stand_in_for_a_class(
    client_of: ClientOf, predict: Predict, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_module, "_predict_fn", None)
    monkeypatch.setattr(model_module, "_update_fn", None)

    @predict_fn
    def suggest(
        tasks: list[dict[str, Any]],
        context: dict[str, Any] | None,
        helper: LabelStudioMLBase,
        **kwargs: Any,
    ) -> Any:
        return [[len(tasks), context, helper.project_id, kwargs]]

    @update_fn
    def learn(event: str, data: dict[str, Any], helper: LabelStudioMLBase, **kwargs: Any) -> Any:
        return [event, data["project"]["id"], helper.project_id]

    client = client_of(LabelStudioMLBase)
    assert predict(client, context={"c": 1}, login="l").json["results"] == [
        [1, {"c": 1}, "1", {"login": "l"}]
    ]
    event = {"action": "ANNOTATION_UPDATED", "project": {"id": 7, "label_config": LABEL_CONFIG}}
    assert client.post("/webhook", json=event).json["result"] == ["ANNOTATION_UPDATED", 7, "7"]


def test_files_are_fetched_with_a_token_of_label_studio(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def get_local_path(*args: Any, **kwargs: Any) -> str:
        calls.append((args, kwargs))
        return "path"

    monkeypatch.setattr(model_module, "get_local_path", get_local_path)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", "legacy")
    monkeypatch.setattr(model_module, "LabelStudio", lambda base_url: 1 / 0)
    model = LabelStudioMLBase("7")
    assert model.get_local_path("s3://b/k", task_id=3) == "path"
    expected = {"project_dir": None, "hostname": None, "access_token": "legacy", "task_id": 3}
    assert calls == [(("s3://b/k",), expected)]


def test_files_in_a_task_are_replaced_by_their_text(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("body")
    model = LabelStudioMLBase("7")
    monkeypatch.setattr(model, "get_local_path", lambda url, task_id: str(tmp_path / "file"))
    data = {
        "a": "s3://b/k",
        "b": ["https://x.y/z", "plain", 1],
        "c": {"d": "/data/local-files/?d=a.txt"},
    }
    task = {"id": 1, "data": data}
    assert model.preload_task_data(task, value=data) == {
        "a": "body",
        "b": ["body", "plain", 1],
        "c": {"d": "body"},
    }
    assert model.preload_task_data(task, value="s3://b/k", read_file=False) == str(
        tmp_path / "file"
    )


def test_a_patched_open_is_called_as_the_original_calls_it(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = mock_open(read_data="body")
    monkeypatch.setattr("builtins.open", opened)
    model = LabelStudioMLBase("7")
    monkeypatch.setattr(model, "get_local_path", lambda url, task_id: "path")
    assert model.preload_task_data({"id": 1}, value="s3://b/k") == "body"
    opened.assert_called_once_with("path", "r")


REPEATER = """
<View>
  <Repeater on="$pages" indexFlag="{{idx}}">
    <Image name="page_{{idx}}" value="$pages[{{idx}}].url"/>
    <RectangleLabels name="box_{{idx}}" toName="page_{{idx}}"><Label value="A"/></RectangleLabels>
  </Repeater>
</View>
"""


def test_a_repeater_is_what_the_sdk_makes_of_it(client_of: ClientOf) -> None:
    class Model(LabelStudioMLBase):
        def predict(
            self, tasks: list[dict[str, Any]], context: dict[str, Any] | None = None, **kwargs: Any
        ) -> Any:
            (control,) = self.label_interface.controls
            tag = self.get_first_tag_occurence("RectangleLabels", "Image")
            return [{"result": [], "seen": [control.to_name, tag, self.parsed_label_config]}]

    body = {"tasks": [{"data": {"pages": [{"url": "/a.png"}]}}], "label_config": REPEATER}
    response = client_of(Model).post("/predict", json={**body, "project": "1"})
    to_name, tag, parsed = response.json["results"][0]["seen"]
    original = LabelInterface(config=REPEATER)
    (control,) = original.controls
    assert to_name == control.to_name == ["page_{{idx}}"]
    assert tuple(tag) == original.get_first_tag_occurence("RectangleLabels", "Image")
    assert parsed == parse_config(REPEATER)  # type: ignore[no-untyped-call]

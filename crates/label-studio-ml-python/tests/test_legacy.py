"""Idioms of backends for the releases 1.0.x of the Python original."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from conftest import LABEL_CONFIG, ClientOf, Predict

from label_studio_ml._internal.test_client import TestResponse
from label_studio_ml.model import LabelStudioMLBase

EVENT = {
    "action": "ANNOTATION_CREATED",
    "project": {"id": 1, "label_config": LABEL_CONFIG},
    "annotation": {"result": [{"value": {"choices": ["Happy"]}}]},
}


class Legacy(LabelStudioMLBase):
    """Loads what it learned in its constructor, as the examples of those releases do."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        from_name, schema = next(iter(self.parsed_label_config.items()))
        self.from_name, self.labels = from_name, schema["labels"]
        self.choice = None
        if self.train_output:
            with open(self.train_output["model_file"]) as file:
                self.choice = json.load(file)["choice"]

    def predict(self, tasks: list[dict[str, Any]], **kwargs: Any) -> Any:  # type: ignore[override]
        return [{"result": [], "score": 0.0, "choice": self.choice} for _ in tasks]

    def fit(self, tasks: Any, workdir: Any = None, **kwargs: Any) -> Any:  # type: ignore[override]
        assert list(tasks) == []
        choice = kwargs["data"]["annotation"]["result"][0]["value"]["choices"][0]
        model_file = os.path.join(workdir, "model.json")
        with open(model_file, "w") as file:
            json.dump({"choice": choice, "event": kwargs["event"]}, file)
        return {"model_file": model_file, "labels": self.labels}


@pytest.fixture
def model_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MODEL_DIR", str(tmp_path))
    return tmp_path


def choices(answer: TestResponse) -> list[str | None]:
    assert answer.status_code == 200, answer.text
    return [entry["choice"] for entry in answer.json["results"]]


def test_the_last_result_of_fit_is_there_when_an_object_is_made(
    client_of: ClientOf, predict: Predict, model_dir: Path
) -> None:
    client = client_of(Legacy)
    assert choices(predict(client)) == [None]
    answer = client.post("/webhook", json=EVENT)
    assert answer.status_code == 201, answer.text
    result = answer.json["result"]
    assert result["labels"] == ["Happy", "Sad"] and result["model_file"].startswith(
        str(model_dir / "1")
    )
    assert choices(predict(client)) == ["Happy"]
    assert choices(predict(client, project="2.2")) == [None]
    assert Legacy(project_id="1", label_config=LABEL_CONFIG).train_output == result


@pytest.mark.parametrize("name", ["annotations", "completions", "tasks"])
def test_fit_gets_what_its_parameters_name(client_of: ClientOf, model_dir: Path, name: str) -> None:
    namespace: dict[str, Any] = {}
    exec(
        f"def fit(self, {name}, workdir=None): return {{'n': len({name}), 'workdir': workdir}}",
        namespace,
    )
    answer = client_of(type("Model", (LabelStudioMLBase,), {"fit": namespace["fit"]})).post(
        "/webhook", json=EVENT
    )
    assert answer.status_code == 201, answer.text
    assert answer.json["result"]["n"] == 0 and os.path.isdir(answer.json["result"]["workdir"])


def test_a_result_that_is_no_object_is_no_train_output(
    client_of: ClientOf, predict: Predict
) -> None:
    class Model(LabelStudioMLBase):
        def fit(self, event: str, data: dict[str, Any], **kwargs: Any) -> Any:
            return "trained"

        def predict(self, tasks: list[dict[str, Any]], **kwargs: Any) -> Any:  # type: ignore[override]
            return [self.train_output]

    client = client_of(Model)
    assert client.post("/webhook", json=EVENT).json["result"] == "trained"
    assert predict(client).json["results"] == [{}]


def test_a_constructor_may_hand_train_output_on() -> None:
    class Model(LabelStudioMLBase):
        def __init__(
            self,
            label_config: str | None = None,
            train_output: dict[str, Any] | None = None,
            **kwargs: Any,
        ) -> None:
            super().__init__(label_config=label_config, train_output=train_output, **kwargs)

    assert Model(project_id="1", label_config=LABEL_CONFIG).train_output == {}
    assert Model(train_output={"a": 1}).train_output == {"a": 1}


def test_init_app_takes_the_arguments_of_those_releases(client_of: ClientOf) -> None:
    arguments = {
        "model_dir": "models",
        "redis_queue": "default",
        "redis_host": "localhost",
        "redis_port": 6379,
    }
    assert client_of(Legacy, **arguments).get("/health").json["model_class"] == "Legacy"


def test_settings_are_read_with_get_env(monkeypatch: pytest.MonkeyPatch) -> None:
    from label_studio_ml.utils import get_env

    monkeypatch.setenv("LABEL_STUDIO_HOSTNAME", "http://localhost:1")
    monkeypatch.setenv("HEARTEX_FLAG", "true")
    assert get_env("HOSTNAME", "other") == "http://localhost:1"
    assert get_env("FLAG", is_bool=True) is True
    assert get_env("NOT_THERE", "default") == "default"


def test_files_are_found_with_the_functions_of_utils(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from label_studio_ml.utils import get_image_local_path, get_local_path

    (tmp_path / "upload/5").mkdir(parents=True)
    (tmp_path / "upload/5/a.png").write_text("")
    expected = str(tmp_path / "upload/5/a.png")
    assert (
        get_image_local_path("/data/upload/5/a.png", image_dir=str(tmp_path / "upload")) == expected
    )
    assert get_local_path("/data/upload/5/a.png", image_dir=str(tmp_path / "upload")) == expected


def test_label_studio_tools_is_found_in_the_sdk(tmp_path: Path) -> None:
    program = """
        import label_studio_ml
        from label_studio_tools.core.label_config import parse_config
        from label_studio_tools.core.utils.io import get_data_dir, get_local_path
        from label_studio_tools.core.utils.params import get_env
        import label_studio_tools.core.utils.io as tools
        import label_studio_sdk._extensions.label_studio_tools.core.utils.io as sdk
        assert tools.get_local_path is sdk.get_local_path is get_local_path
        try:
            import label_studio_tools.nothing
        except ModuleNotFoundError as error:
            print(error)
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True
    )
    assert run.stdout == "No module named 'label_studio_tools.nothing'\n", run.stderr


def test_label_studio_tools_itself_is_preferred(tmp_path: Path) -> None:
    (tmp_path / "label_studio_tools").mkdir()
    (tmp_path / "label_studio_tools/__init__.py").write_text("installed = True\n")
    program = "import label_studio_ml, label_studio_tools; print(label_studio_tools.installed)"
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    run = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True)
    assert run.stdout == "True\n", run.stderr

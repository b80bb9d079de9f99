"""The package as such: its names, and what it imports when."""

from __future__ import annotations

import importlib
import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest

NAMES = {
    "label_studio_ml": ["package_name", "__version__"],
    "label_studio_ml.api": [
        "BASIC_AUTH",
        "MODEL_CLASS",
        "ModelResponse",
        "TRAIN_EVENTS",
        "_predict",
        "_server",
        "_setup",
        "check_auth",
        "exception_handler",
        "health",
        "init_app",
        "log_request_info",
        "log_response_info",
        "logger",
        "metrics",
        "safe_str_cmp",
        "webhook",
    ],
    "label_studio_ml.model": [
        "CACHE",
        "LabelInterface",
        "LabelStudio",
        "LabelStudioMLBase",
        "ModelResponse",
        "Version",
        "get_all_classes_inherited_LabelStudioMLBase",
        "get_local_path",
        "is_preload_needed",
        "logger",
        "logging",
        "mp",
        "parse_config",
        "predict_fn",
        "update_fn",
    ],
    "label_studio_ml.response": ["ModelResponse", "PredictionValue", "SingleTaskPredictions"],
    "label_studio_ml.cache": ["BaseCache", "SqliteCache", "create_cache"],
    "label_studio_ml.exceptions": ["AnswerException", "answer", "exception_handler"],
    "label_studio_ml.server": ["Fore", "create_dir", "get_args", "logging", "main", "start_server"],
    "label_studio_ml.wsgi": ["app", "run_ml_backend"],
    "label_studio_ml.ls_io": ["download_ls_dataset"],
    "label_studio_ml.utils": [
        "DATA_UNDEFINED_NAME",
        "InMemoryLRUDictCache",
        "compare_nested_structures",
        "difflib",
        "get_choice",
        "get_env",
        "get_first_tag_keys",
        "get_image_local_path",
        "get_image_size",
        "get_local_path",
        "get_single_tag_keys",
        "is_preload_needed",
        "is_skipped",
        "is_valid_url",
        "logging",
        "match_labels",
        "re",
    ],
}


@pytest.mark.parametrize("module, names", NAMES.items(), ids=NAMES)
def test_has_the_names_of_the_original(module: str, names: list[str]) -> None:
    imported = importlib.import_module(module)
    assert [name for name in names if not hasattr(imported, name)] == []


def test_utils_has_the_image_modules_of_the_original() -> None:
    image = pytest.importorskip("PIL.Image")
    from label_studio_ml.utils import Image, ImageOps

    assert Image is image and callable(ImageOps.exif_transpose)


def test_predictions_are_those_of_the_sdk() -> None:
    from label_studio_sdk.label_interface import objects

    from label_studio_ml.response import PredictionValue  # type: ignore[attr-defined]

    assert PredictionValue is objects.PredictionValue
    assert isinstance(PredictionValue(result=[]), PredictionValue)


def run(code: str, **env: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", inspect.cleandoc(code)],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_nothing_slow_is_imported_before_it_is_needed(tmp_path: Path) -> None:
    code = """
        import sys
        from label_studio_ml.model import LabelStudioMLBase
        from label_studio_ml.response import ModelResponse
        from label_studio_ml.api import init_app
        import label_studio_ml.server, label_studio_ml.utils

        class Model(LabelStudioMLBase):
            def predict(self, tasks, context=None, **kwargs) -> ModelResponse:
                return ModelResponse(predictions=[])

        assert init_app(Model).test_client().get("/health").status_code == 200
        print([name for name in ("label_studio_sdk", "pandas", "flask", "semver", "PIL") if name in sys.modules])
    """
    assert run(code, MODEL_DIR=str(tmp_path)) == "[]"


def test_the_version_can_be_overridden(tmp_path: Path) -> None:
    code = "import label_studio_ml; print(label_studio_ml.__version__)"
    assert run(code, VERSION_OVERRIDE="9.8.7") == "9.8.7"
    assert run(code, VERSION_OVERRIDE="").count(".") == 2


def test_the_store_is_where_model_dir_says(tmp_path: Path) -> None:
    code = "from label_studio_ml.model import CACHE; CACHE['1', 'k'] = 'v'; print(CACHE.db_name)"
    assert run(code, MODEL_DIR=str(tmp_path / "deep/models")) == str(
        tmp_path / "deep/models/cache.db"
    )
    assert (tmp_path / "deep/models/cache.db").exists()


def test_an_unknown_cache_type_is_refused_at_import(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="Unsupported cache type: memcached"):
        run("import label_studio_ml.model", CACHE_TYPE="memcached")


def test_a_server_that_loads_the_app_warms_it_up(tmp_path: Path) -> None:
    code = """
        import sys, types
        sys.modules["gunicorn.arbiter"] = types.ModuleType("gunicorn.arbiter")
        from label_studio_ml.api import init_app
        from label_studio_ml.model import LabelStudioMLBase
        init_app(LabelStudioMLBase)
        print("label_studio_sdk.label_interface" in sys.modules)
    """
    assert run(code, MODEL_DIR=str(tmp_path)) == "True"


def test_the_original_beside_the_package_is_told(tmp_path: Path) -> None:
    original = tmp_path / "label_studio_ml-2.0.1.dist-info"
    original.mkdir()
    (original / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: label-studio-ml\nVersion: 2.0.1\n"
    )
    command = [sys.executable, "-m", "label_studio_ml.server", "start", str(tmp_path / "missing")]
    for path, expected in [(str(tmp_path), True), ("", False)]:
        done = subprocess.run(
            command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True
        )
        assert ("pip uninstall label-studio-ml" in done.stderr) == expected, done.stderr


def test_the_command_line_is_taken_apart_as_in_the_original(tmp_path: Path) -> None:
    from label_studio_ml import server

    args, rest = server.get_args(["start", "backend", "--root-dir", "r", "--port", "1"])
    assert (args.command, args.project_name, args.root_dir, rest) == (
        "start",
        "backend",
        "r",
        ["--port", "1"],
    )
    args, rest = server.get_args(["create", "backend", "--root-dir", str(tmp_path), "--force"])
    assert (args.force, args.script, rest) == (True, None, [])
    assert server.create_dir(args) == 0
    assert (tmp_path / "backend/model.py").exists()
    args, _ = server.get_args(["start", "missing", "--root-dir", str(tmp_path)])
    assert server.start_server(args) != 0


def test_init_app_takes_model_classes_only() -> None:
    from label_studio_ml.api import init_app

    with pytest.raises(ValueError, match="subclass of LabelStudioMLBase"):
        init_app(int)  # type: ignore[arg-type]

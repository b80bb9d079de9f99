"""The package as such: its names, and what it imports when."""

import importlib
import inspect
import os
import subprocess
import sys

import pytest

NAMES = {
    "label_studio_ml": ["package_name", "__version__"],
    "label_studio_ml.api": ["init_app", "_server", "MODEL_CLASS", "BASIC_AUTH", "TRAIN_EVENTS", "ModelResponse", "exception_handler", "safe_str_cmp"],
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
        "parse_config",
        "predict_fn",
        "update_fn",
    ],
    "label_studio_ml.response": ["ModelResponse", "PredictionValue", "SingleTaskPredictions"],
    "label_studio_ml.cache": ["BaseCache", "SqliteCache", "create_cache"],
    "label_studio_ml.exceptions": ["AnswerException", "answer", "exception_handler"],
    "label_studio_ml.server": ["main"],
    "label_studio_ml.wsgi": ["app", "run_ml_backend"],
    "label_studio_ml.ls_io": ["download_ls_dataset"],
    "label_studio_ml.utils": [
        "DATA_UNDEFINED_NAME",
        "InMemoryLRUDictCache",
        "compare_nested_structures",
        "get_choice",
        "get_first_tag_keys",
        "get_image_size",
        "get_single_tag_keys",
        "is_preload_needed",
        "is_skipped",
        "is_valid_url",
        "match_labels",
    ],
}


@pytest.mark.parametrize("module, names", NAMES.items(), ids=NAMES)
def test_has_the_names_of_the_original(module, names):
    module = importlib.import_module(module)
    assert [name for name in names if not hasattr(module, name)] == []


def test_predictions_are_those_of_the_sdk():
    from label_studio_ml.response import PredictionValue
    from label_studio_sdk.label_interface import objects

    assert PredictionValue is objects.PredictionValue
    assert isinstance(PredictionValue(result=[]), PredictionValue)


def run(code, **env):
    done = subprocess.run(
        [sys.executable, "-c", inspect.cleandoc(code)], env={**os.environ, **env}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_nothing_slow_is_imported_before_it_is_needed(tmp_path):
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


def test_the_version_can_be_overridden(tmp_path):
    code = "import label_studio_ml; print(label_studio_ml.__version__)"
    assert run(code, VERSION_OVERRIDE="9.8.7") == "9.8.7"
    assert run(code, VERSION_OVERRIDE="").count(".") == 2


def test_the_store_is_where_model_dir_says(tmp_path):
    code = "from label_studio_ml.model import CACHE; CACHE['1', 'k'] = 'v'; print(CACHE.db_name)"
    assert run(code, MODEL_DIR=str(tmp_path / "deep/models")) == str(tmp_path / "deep/models/cache.db")
    assert (tmp_path / "deep/models/cache.db").exists()


def test_an_unknown_cache_type_is_refused_at_import(tmp_path):
    with pytest.raises(AssertionError, match="Unsupported cache type: memcached"):
        run("import label_studio_ml.model", CACHE_TYPE="memcached")


def test_init_app_takes_model_classes_only():
    from label_studio_ml.api import init_app

    with pytest.raises(ValueError, match="subclass of LabelStudioMLBase"):
        init_app(int)

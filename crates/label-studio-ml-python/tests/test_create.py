"""`label-studio-ml create` for Python: what it writes passes its tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

MODEL = "from label_studio_ml.model import LabelStudioMLBase\n\nclass {}(LabelStudioMLBase):\n    pass\n"


def run(*args: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "MODEL_DIR": str(cwd / "models")}
    return subprocess.run([sys.executable, *args], cwd=cwd, env=env, capture_output=True, text=True)


def create(cwd: Path, *args: str, code: int = 0, says: str = "") -> str:
    done = run("-m", "label_studio_ml.server", "create", *args, cwd=cwd)
    assert done.returncode == code, done.stdout + done.stderr
    assert says in done.stderr
    return done.stdout


def check_tests_of(folder: Path) -> None:
    done = run("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_template_passes_its_tests(tmp_path: Path) -> None:
    assert "label-studio-ml start my_backend" in create(tmp_path, "my_backend")
    assert sorted(path.name for path in (tmp_path / "my_backend").iterdir()) == [
        ".dockerignore",
        "Dockerfile",
        "README.md",
        "_wsgi.py",
        "docker-compose.yml",
        "model.py",
        "requirements-base.txt",
        "requirements-test.txt",
        "requirements.txt",
        "test_api.py",
    ]
    check_tests_of(tmp_path / "my_backend")


def test_a_script_is_wrapped_and_its_class_found(tmp_path: Path) -> None:
    (tmp_path / "classifier.py").write_text(MODEL.format("Mood"))
    (tmp_path / "requirements.txt").write_text("numpy\n")
    create(tmp_path, "mood", "--script", "classifier.py")
    assert "from classifier import Mood\n" in (tmp_path / "mood/_wsgi.py").read_text()
    assert (tmp_path / "mood/requirements.txt").read_text() == "numpy\n"
    check_tests_of(tmp_path / "mood")


def test_with_several_classes_one_has_to_be_named(tmp_path: Path) -> None:
    (tmp_path / "classifier.py").write_text(MODEL.format("Mood") + MODEL.format("Topic"))
    create(
        tmp_path,
        "mood",
        "--from",
        "classifier.py",
        code=1,
        says="several model classes: Mood, Topic",
    )
    assert not (tmp_path / "mood").exists()
    create(tmp_path, "mood", "--from", "classifier.py:Topic")
    assert "from classifier import Topic\n" in (tmp_path / "mood/_wsgi.py").read_text()


def test_a_base_class_in_the_script_is_not_the_model(tmp_path: Path) -> None:
    text = MODEL.format("Base") + "class Mood(Base):\n    pass\n"
    (tmp_path / "classifier.py").write_text(text)
    create(tmp_path, "mood", "--from", "classifier.py")
    assert "from classifier import Mood\n" in (tmp_path / "mood/_wsgi.py").read_text()
    names = "from label_studio_ml.model import get_all_classes_inherited_LabelStudioMLBase as names; print(names('classifier.py'))"
    assert run("-c", names, cwd=tmp_path).stdout == "['Base', 'Mood']\n"


@pytest.mark.parametrize(
    "text, reason",
    [
        ("x = 1", "no class in it is a LabelStudioMLBase"),
        ("import nowhere", "No module named 'nowhere'"),
        ("(", "SyntaxError"),
    ],
)
def test_a_script_without_a_model_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "broken.py").write_text(text)
    create(tmp_path, "mood", "--script", "broken.py", code=1, says=reason)
    assert not (tmp_path / "mood").exists()


def test_an_existing_folder_is_left_alone(tmp_path: Path) -> None:
    create(tmp_path, "mood")
    (tmp_path / "mood/model.py").write_text("mine")
    create(tmp_path, "mood", code=1, says="--force")
    assert (tmp_path / "mood/model.py").read_text() == "mine"
    create(tmp_path, "mood", "--force")
    assert "NewModel" in (tmp_path / "mood/model.py").read_text()


def test_a_rust_backend_is_one_option_away(tmp_path: Path) -> None:
    create(tmp_path, "mood", "--language", "rust")
    assert (tmp_path / "mood/Cargo.toml").exists()


def test_misuse_ends_with_code_2(tmp_path: Path) -> None:
    create(tmp_path, code=2, says="<NAME>")

"""The interactive backends, what their READMEs say, and what they are tried with."""

import json
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    from pip._vendor import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"


@dataclass(frozen=True)
class InteractiveBackend:
    """An example whose `[package.metadata.backend]` lists the mode `interactive`."""

    name: str
    label_configs: list[str]
    """Those of its README, in their order."""
    settings: dict[str, str] = field(default_factory=dict)
    """Environment with which the backend runs on the models of its tests."""
    image: Path | None = None
    """What is labelled in projects on images."""
    data: dict[str, Any] = field(default_factory=dict)
    """Fields of the task, where those of `tasks.py` do not fit."""
    prompt: str = "Which one is it?"
    """What is typed into a text area."""

    @property
    def has_service(self) -> bool:
        """Whether the backend calls a service, which `e2e/mock_service.py` of its folder mocks."""
        return (EXAMPLES / self.name / "e2e" / "mock_service.py").is_file()


def interactive_backends() -> list[InteractiveBackend]:
    """All of them, by name."""
    folders = [manifest.parent for manifest in sorted(EXAMPLES.glob("*/Cargo.toml"))]
    return [backend(folder) for folder in folders if "interactive" in modes(folder)]


def modes(folder: Path) -> list[str]:
    """The modes of an example."""
    manifest = tomllib.loads((folder / "Cargo.toml").read_text(encoding="utf-8"))
    found: list[str] = manifest["package"].get("metadata", {}).get("backend", {}).get("modes", [])
    return found


def backend(folder: Path) -> InteractiveBackend:
    """Reads the README of an example and its `e2e/browser.json`, which may be missing.

    The file's keys are `settings`, `files` (settings that are paths), `image`, `data` and `prompt`;
    paths start at the repository's root.
    """
    file = folder / "e2e" / "browser.json"
    said: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    files = {name: str(ROOT / path) for name, path in said.pop("files", {}).items()}
    settings = {**said.pop("settings", {}), **files}
    image = ROOT / said.pop("image") if "image" in said else None
    readme = (folder / "README.md").read_text(encoding="utf-8")
    return InteractiveBackend(folder.name, label_configs(readme), settings, image, **said)


def label_configs(readme: str) -> list[str]:
    """The label configs in the section of that name."""
    section = re.search(r"^## Label config\n(.*?)^## ", readme, re.DOTALL | re.MULTILINE)
    return (
        re.findall(r"^```xml\n(.*?)^```", section[1], re.DOTALL | re.MULTILINE) if section else []
    )

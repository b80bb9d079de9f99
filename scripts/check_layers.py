#!/usr/bin/env python3
"""Checks which crate depends on which against ARCHITECTURE.md, and that no backend holds code for
media it does not label.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
MODELS = {"label-studio-vision", "label-studio-text", "label-studio-audio", "label-studio-training"}

# What each crate may depend on, beside crates from outside. Tests may use more, such as
# label-studio-testing.
ALLOWED: dict[str, set[str]] = {
    "label-studio-sdk": set(),
    "label-studio-ml": {"label-studio-sdk"},
    "label-studio-services": {"label-studio-sdk"},
    "label-studio-inference": {"label-studio-sdk"},
    "label-studio-vision": {"label-studio-sdk", "label-studio-inference", "label-studio-text"},
    "label-studio-text": {"label-studio-sdk", "label-studio-inference"},
    "label-studio-audio": {"label-studio-sdk", "label-studio-inference"},
    "label-studio-training": {"label-studio-sdk", "label-studio-inference"},
    "label-studio-testing": {"label-studio-sdk", "label-studio-ml"},
    "label-studio-ml-cli": {"label-studio-sdk", "label-studio-ml"},
    "label-studio-ml-python": {"label-studio-sdk", "label-studio-ml", "label-studio-ml-cli"},
}
OF_EXAMPLES = {
    "label-studio-sdk",
    "label-studio-ml",
    "label-studio-services",
    "label-studio-inference",
    *MODELS,
}

# The crates of a modality, and the tags of backends that may hold them. A backend that reads such
# files whatever its label config shows names them in `reads` of `[package.metadata.layers]`.
MODALITIES: dict[str, set[str]] = {
    "label-studio-vision": {"Image", "Video", "Pdf"},
    "label-studio-text": {"Text", "HyperText", "Paragraphs", "Chat", "TextArea"},
    "label-studio-audio": {"Audio", "Video"},
}

Package = dict[str, Any]


def is_example(package: Package) -> bool:
    """Returns whether a package is a backend in `examples/`."""
    return Path(package["manifest_path"]).parent.parent.name == "examples"


def broken_arrows(packages: list[Package]) -> list[str]:
    """Returns the dependencies between packages of the workspace that must not be."""
    members = {package["name"] for package in packages}
    examples = {package["name"] for package in packages if is_example(package)}
    lines = []
    for package in packages:
        name = package["name"]
        allowed = OF_EXAMPLES if name in examples else ALLOWED.get(name)
        if allowed is None:
            lines.append(
                f"{name} is in no layer: add it to scripts/check_layers.py and ARCHITECTURE.md"
            )
            continue
        for dependency in package["dependencies"]:
            used, is_dev = dependency["name"], dependency["kind"] == "dev"
            if used not in members or used == name:
                continue
            if used in examples or not (used in allowed or is_dev):
                lines.append(f"{name} must not depend on {used}")
    return lines


def wrong_modalities(package: Package, crates: set[str]) -> list[str]:
    """Returns the crates that a backend holds without labelling anything of their modality."""
    metadata = package["metadata"] or {}
    backend, layers = metadata.get("backend", {}), metadata.get("layers", {})
    shown = [*backend.get("controls", []), *backend.get("objects", [])]
    tags = {*shown, *layers.get("reads", [])}
    return [
        f"{package['name']} holds {crate}, but has none of the tags {', '.join(sorted(needed))}"
        for crate, needed in MODALITIES.items()
        if crate in crates and not needed & tags
    ]


def crates_of(package: Package) -> set[str]:
    """Returns the names of all crates that are compiled into a package."""
    command = [
        "cargo",
        "tree",
        "--package",
        package["name"],
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]
    return {line.split()[0] for line in _output(command).splitlines() if line}


def _output(command: list[str]) -> str:
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def main() -> int:
    packages = json.loads(_output(["cargo", "metadata", "--format-version", "1", "--no-deps"]))[
        "packages"
    ]
    lines = broken_arrows(packages)
    for package in filter(is_example, packages):
        lines.extend(wrong_modalities(package, crates_of(package)))
    print("\n".join(lines), end="\n" if lines else "")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())

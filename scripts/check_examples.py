"""Checks that the examples are siblings.

Their READMEs have the same headings in the same order and name the variables that the program
reads; their compose files extend the same base.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
HEADINGS = [
    "What it does",
    "Label config",
    "Get the weights",
    "Run",
    "Settings",
    "What comes out",
    "Limits and differences from the original",
]
BASE = ROOT / "deploy" / "compose.base.yml"
OPERATING = ROOT / "docs" / "operating.md"
LOOPBACK = "${BIND_ADDRESS:-127.0.0.1}:${PORT:-9090}:9090"
# What an example may say beside what its base says.
OWN_KEYS = {"extends", "build", "image", "volumes", "environment", "mem_limit"}


def main() -> int:
    """Prints each rule that an example breaks."""
    folders = [path.parent for path in sorted(ROOT.glob("examples/*/Cargo.toml"))]
    bases = yaml.safe_load(BASE.read_text(encoding="utf-8"))["services"]
    shared = text_of(ROOT.glob("crates/*/src/**/*.rs")) + text_of(ROOT.glob("scripts/*.sh"))
    problems = [f"{BASE.relative_to(ROOT)}: {problem}" for problem in base_problems(bases)]
    problems += [
        f"{OPERATING.relative_to(ROOT)}: {problem}" for problem in shared_settings_problems()
    ]
    for folder in folders:
        readme = folder / "README.md"
        compose = folder / "docker-compose.yml"
        problems += [
            f"{readme.relative_to(ROOT)}: {problem}"
            for problem in [*readme_problems(readme), *settings_problems(readme, shared)]
        ]
        problems += [
            f"{compose.relative_to(ROOT)}: {problem}"
            for problem in compose_problems(compose, bases)
        ]
    print("\n".join(problems) or f"{len(folders)} examples are alike")
    return 1 if problems else 0


def readme_problems(path: Path) -> Iterator[str]:
    """Returns how a README differs from its siblings."""
    if not path.is_file():
        yield "is missing"
        return
    text = path.read_text(encoding="utf-8")
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    if not text.startswith(f"# {path.parent.name}\n"):
        yield f"does not start with `# {path.parent.name}`"
    headings = re.findall(r"^## (.*)$", prose, flags=re.MULTILINE)
    if headings != HEADINGS:
        yield f"its headings are {headings}, not {HEADINGS}"


def settings_problems(path: Path, shared: str) -> Iterator[str]:
    """Returns the variables that only one of the README and the program knows."""
    if not path.is_file():
        return
    readme = path.read_text(encoding="utf-8")
    source = text_of(path.parent.glob("src/**/*.rs"))
    for name in variables(source):
        if name not in readme:
            yield f"does not name {name}, which the program reads"
    settings = readme.partition("\n## Settings\n")[2].partition("\n## ")[0]
    for name in re.findall(r"`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)", settings):
        if name not in source and name not in shared:
            yield f"names {name}, which the program does not read"


def shared_settings_problems() -> Iterator[str]:
    """Returns the variables of every backend that the page for operators does not name."""
    page = OPERATING.read_text(encoding="utf-8")
    flags = [*ROOT.glob("crates/label-studio-ml/src/server/settings/**/*.rs")]
    flags += ROOT.glob("crates/label-studio-sdk/src/**/args.rs")
    for name in variables(text_of(flags)):
        if name not in page:
            yield f"does not name {name}, which every backend reads"


def variables(source: str) -> list[str]:
    """Returns the environment variables of the flags in Rust code, without hidden ones."""
    code = re.sub(r"^ *//.*$", "", source, flags=re.MULTILINE)
    found = re.findall(r'env = "(\w+)"([^\]]*)\]', code)
    return [name for name, rest in found if "hide = true" not in rest]


def text_of(paths: Iterable[Path]) -> str:
    """Returns the text of all files."""
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


def base_problems(bases: dict[str, Any]) -> Iterator[str]:
    """Returns what is wrong with the services that all examples extend."""
    if bases["backend"].get("ports") != [LOOPBACK]:
        yield f"publishes other ports than {LOOPBACK}"


def compose_problems(path: Path, bases: dict[str, Any]) -> Iterator[str]:
    """Returns what is wrong with an example's compose file."""
    name = path.parent.name
    if not path.is_file():
        yield "is missing"
        return
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    if list(document["services"]) != [name]:
        yield f"has the services {list(document['services'])}, not {name} alone"
        return
    service = document["services"][name]
    extends = service.get("extends", {})
    if (path.parent / extends.get("file", "")).resolve() != BASE or extends.get(
        "service"
    ) not in bases:
        yield f"does not extend a service of {BASE.relative_to(ROOT)}"
    if service.get("build") is None or service["build"].get("args", {}).get("BACKEND") != name:
        yield f"does not build BACKEND: {name}"
    if service.get("image") != f"{name}:latest":
        yield f"its image is {service.get('image')}, not {name}:latest"
    for key in sorted(service.keys() - OWN_KEYS):
        yield f"has {key}, which belongs into {BASE.relative_to(ROOT)}"
    if document.get("volumes") != {"data": None}:
        yield "does not declare the volume data alone"


if __name__ == "__main__":
    sys.exit(main())

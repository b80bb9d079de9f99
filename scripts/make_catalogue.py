"""Writes the tables of backends in README.md and examples/README.md.

They come from [package.metadata.backend] in the manifest of each example.

usage: scripts/make_catalogue.py [--check]     (--check: only say whether they are up to date)
"""

import argparse
import sys
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    from pip._vendor import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
BEGIN = "<!-- catalogue: begin, written by scripts/make_catalogue.py -->"
END = "<!-- catalogue: end -->"
KEYS = {"title", "summary", "modes", "controls", "objects", "weights", "needs"}
MODES = ["pre-annotation", "interactive", "training"]
WEIGHT_KEYS = {"name", "source", "licence"}
LIBRARIES = {"onnxruntime": "[ONNX Runtime](#onnx-runtime)"}


class CatalogueError(Exception):
    """An example or a document that does not fit."""


def main() -> int:
    """Writes the tables, or compares them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--check", action="store_true", help="only say whether the tables are up to date"
    )
    args = parser.parse_args()
    try:
        backends = {
            path.parent.name: backend(path) for path in sorted(ROOT.glob("examples/*/Cargo.toml"))
        }
        documents = {
            ROOT / "README.md": short_table(backends),
            ROOT / "examples" / "README.md": long_table(backends),
        }
        texts = {path: with_table(path, table) for path, table in documents.items()}
    except CatalogueError as error:
        print(error, file=sys.stderr)
        return 1
    stale = [path for path, text in texts.items() if path.read_text(encoding="utf-8") != text]
    for path in stale:
        name = path.relative_to(ROOT)
        if args.check:
            print(
                f"{name}: the table of backends is out of date; run `make catalogue`",
                file=sys.stderr,
            )
        else:
            path.write_text(texts[path], encoding="utf-8")
            print(f"wrote {name}")
    if not stale:
        print(f"{len(backends)} backends, tables up to date")
    return 1 if stale and args.check else 0


def backend(manifest: Path) -> dict[str, Any]:
    """Returns the description of an example, or says what it lacks."""
    name = manifest.relative_to(ROOT)
    package = tomllib.loads(manifest.read_text(encoding="utf-8"))["package"]
    found: dict[str, Any] = package.get("metadata", {}).get("backend", {})
    problems = [f"lacks {key}" for key in sorted(KEYS - found.keys())]
    problems += [f"has unknown key {key}" for key in sorted(found.keys() - KEYS)]
    problems += [f"has unknown mode {mode}" for mode in found.get("modes", []) if mode not in MODES]
    for weights in found.get("weights", []):
        problems += [f"weights lack {key}" for key in sorted(WEIGHT_KEYS - weights.keys())]
    if package["name"] != manifest.parent.name:
        problems.append(f"is a package called {package['name']}, not like its folder")
    if problems:
        raise CatalogueError(f"{name}: [package.metadata.backend] {', '.join(problems)}")
    return found


def short_table(backends: dict[str, dict[str, Any]]) -> str:
    """Returns the table of README.md."""
    rows = [
        [f"[{name}](examples/{name})", about["summary"], ", ".join(about["modes"])]
        for name, about in backends.items()
    ]
    return table(["backend", "what it does", "modes"], rows)


def long_table(backends: dict[str, dict[str, Any]]) -> str:
    """Returns the table of examples/README.md."""
    rows = [
        [
            f"[{name}]({name})",
            about["summary"],
            ", ".join(about["modes"]),
            tags(about["controls"]),
            tags(about["objects"]),
            "<br>".join(map(weights_cell, about["weights"])),
            ", ".join(LIBRARIES.get(need, need) for need in about["needs"]),
        ]
        for name, about in backends.items()
    ]
    heads = [
        "backend",
        "what it does",
        "modes",
        "control tags",
        "object tags",
        "weights (licence)",
        "needs",
    ]
    return table(heads, rows)


def tags(names: list[str]) -> str:
    """Returns tag names as code."""
    return ", ".join(f"`{name}`" for name in names)


def weights_cell(weights: dict[str, str]) -> str:
    """Returns one set of weights: its name as a link, its licence and its size."""
    facts = ", ".join(weights[key] for key in ("licence", "size") if key in weights)
    return f"[{weights['name']}]({weights['source']}) ({facts})"


def table(heads: list[str], rows: list[list[str]]) -> str:
    """Returns a table in Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(
        "|" + "|".join(f" {cell} " if cell else " " for cell in line) + "|\n" for line in lines
    )


def with_table(path: Path, text: str) -> str:
    """Returns the document with the table between its marks."""
    document = path.read_text(encoding="utf-8")
    if document.count(BEGIN) != 1 or document.count(END) != 1:
        raise CatalogueError(
            f"{path.relative_to(ROOT)}: needs the marks of the catalogue, once: {BEGIN} {END}"
        )
    head, rest = document.split(BEGIN)
    return f"{head}{BEGIN}\n{text}{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    sys.exit(main())

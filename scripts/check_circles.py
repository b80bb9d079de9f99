#!/usr/bin/env python3
"""Finds files of one crate, or of one Python package, that use each other in a circle; prints them
and the lines that do it.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from circles.graph import Graph
from circles.python import add_package
from circles.rust import add_crate, read_crate

MAX_LINES = 2


def crates(root: Path) -> list[Path]:
    """Returns the folders with a `Cargo.toml` that git would list."""
    return sorted(
        path.parent
        for folder in ("crates", "examples", ".")
        for path in root.glob(f"{folder}/*/Cargo.toml")
    )


def packages(root: Path) -> list[Path]:
    """Returns the folders of the Python packages."""
    tops = [*root.glob("*/__init__.py"), *root.glob("crates/*/python/*/__init__.py")]
    return sorted(path.parent for path in tops)


def graph_of_crate(folder: Path) -> Graph:
    """Reads the library, the programs and the tests of a crate."""
    graph = Graph()
    patterns = [
        "src/lib.rs",
        "src/main.rs",
        "src/bin/*.rs",
        "tests/*.rs",
        "benches/*.rs",
        "fuzz_targets/*.rs",
        "build.rs",
    ]
    for pattern in patterns:
        for root in sorted(folder.glob(pattern)):
            add_crate(graph, read_crate(root))
    return graph


def graph_of_package(folder: Path) -> Graph:
    """Reads a Python package."""
    graph = Graph()
    add_package(graph, folder)
    return graph


def report(root: Path, folder: Path, graph: Graph) -> list[str]:
    """Returns what to print about the circles of the crate or package in a folder."""

    def shown(file: Path) -> str:
        return os.path.relpath(file, folder)

    lines = []
    for circle in graph.circles():
        lines.append(
            f"{folder.relative_to(root)}: circle of {len(circle)} files: "
            f"{', '.join(map(shown, circle))}"
        )
        for user, used, places in graph.places_within(circle):
            lines.extend(
                f"  {shown(user)}:{place.line}: {place.text} is in {shown(used)}"
                for place in places[:MAX_LINES]
            )
            if len(places) > MAX_LINES:
                lines.append(
                    f"  {shown(user)}: {len(places) - MAX_LINES} more lines use {shown(used)}"
                )
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "root",
        nargs="?",
        default=Path(__file__).parent.parent,
        type=Path,
        help="folder of the repository",
    )
    root = parser.parse_args().root.resolve()
    graphs = [(folder, graph_of_crate(folder)) for folder in crates(root)]
    graphs += [(folder, graph_of_package(folder)) for folder in packages(root)]
    lines = [line for folder, graph in graphs for line in report(root, folder, graph)]
    print("".join(f"{line}\n" for line in lines), end="")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())

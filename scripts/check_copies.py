#!/usr/bin/env python3
"""Finds runs of equal lines in the sources of two examples, which belong into a crate; prints where
each begins.
"""

from __future__ import annotations

import itertools
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

# So many equal lines in a row are a copy. The shortest main.rs has fewer, with its use lines.
MIN_LINES = 15

Lines = list[str]
Sources = dict[Path, Lines]


@dataclass(frozen=True)
class Copy:
    """A run of equal lines in two files; lines count from 0."""

    n_lines: int
    first: tuple[Path, int]
    second: tuple[Path, int]

    def shown(self, root: Path) -> str:
        """Returns where the run begins in each file."""
        places = [
            f"{path.relative_to(root)}:{line + 1}" for path, line in (self.first, self.second)
        ]
        return f"{self.n_lines} equal lines: {places[0]} and {places[1]}"


def sources(root: Path) -> Sources:
    """Reads the sources of all examples, without indentation: a copy may be nested deeper."""
    return {
        path: [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
        for path in sorted(root.glob("examples/*/src/**/*.rs"))
    }


def example_of(root: Path, path: Path) -> str:
    """Returns the folder of the example that a file belongs to."""
    return path.relative_to(root / "examples").parts[0]


def copies(root: Path, files: Sources, min_lines: int = MIN_LINES) -> list[Copy]:
    """Returns the longest runs of equal lines in files of different examples."""
    windows: dict[tuple[str, ...], list[tuple[Path, int]]] = defaultdict(list)
    for path, lines in files.items():
        for start in range(len(lines) - min_lines + 1):
            windows[tuple(lines[start : start + min_lines])].append((path, start))
    found = []
    for places in windows.values():
        for first, second in itertools.combinations(places, 2):
            if example_of(root, first[0]) == example_of(root, second[0]):
                continue
            # Only the first window of a run counts.
            if not starts_before(files, first, second):
                n_lines = length(files, first, second)
                found.append(Copy(n_lines, first, second))
    return found


def starts_before(files: Sources, first: tuple[Path, int], second: tuple[Path, int]) -> bool:
    """Returns whether the lines before two places are equal, too."""
    if first[1] == 0 or second[1] == 0:
        return False
    return files[first[0]][first[1] - 1] == files[second[0]][second[1] - 1]


def length(files: Sources, first: tuple[Path, int], second: tuple[Path, int]) -> int:
    """Returns how many lines from two places on are equal."""
    pairs = zip(files[first[0]][first[1] :], files[second[0]][second[1] :])
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def main() -> int:
    root = Path(__file__).resolve().parent.parent
    found = copies(root, sources(root))
    for copy in found:
        print(copy.shown(root))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

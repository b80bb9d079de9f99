"""Which file uses which, and the circles in that."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """A line that makes one file use another."""

    line: int
    text: str


@dataclass
class Graph:
    """Files, and for each pair the lines by which the first uses the second."""

    places: dict[tuple[Path, Path], list[Place]] = field(default_factory=dict)

    def add(self, user: Path, used: Path, place: Place) -> None:
        """Adds a line by which `user` uses something that `used` defines; within a file it is of no
        interest.
        """
        if user != used:
            known = self.places.setdefault((user, used), [])
            if place not in known:
                known.append(place)

    def circles(self) -> list[list[Path]]:
        """Returns the strongly connected components of more than one file, each sorted."""
        return sorted(sorted(files) for files in _Components(self.places).all if len(files) > 1)

    def places_within(self, files: list[Path]) -> list[tuple[Path, Path, list[Place]]]:
        """Returns the lines that connect the files of a circle."""
        members = set(files)
        return [
            (user, used, sorted(places, key=lambda place: place.line))
            for (user, used), places in sorted(self.places.items())
            if user in members and used in members
        ]


class _Components:
    """Tarjan's algorithm, "Depth-first search and linear graph algorithms", 1972."""

    def __init__(self, edges: dict[tuple[Path, Path], list[Place]]) -> None:
        self.used: dict[Path, list[Path]] = {}
        for user, used in edges:
            self.used.setdefault(user, []).append(used)
            self.used.setdefault(used, [])
        self.all: list[list[Path]] = []
        self.number: dict[Path, int] = {}
        self.lowest: dict[Path, int] = {}
        self.stack: list[Path] = []
        for node in self.used:
            if node not in self.number:
                self._visit(node)

    def _visit(self, node: Path) -> None:
        self.number[node] = self.lowest[node] = len(self.number)
        self.stack.append(node)
        for used in self.used[node]:
            if used not in self.number:
                self._visit(used)
                self.lowest[node] = min(self.lowest[node], self.lowest[used])
            elif used in self.stack:
                self.lowest[node] = min(self.lowest[node], self.number[used])
        if self.lowest[node] == self.number[node]:
            start = self.stack.index(node)
            self.all.append(self.stack[start:])
            del self.stack[start:]

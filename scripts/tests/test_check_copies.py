"""Copies between two examples are found, and nothing else is."""

from __future__ import annotations

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from check_copies import MIN_LINES, copies, sources

RUN = [f"line({number});" for number in range(MIN_LINES)]


class Copies(unittest.TestCase):
    """A folder with examples in it."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)

    def write(self, path: str, lines: list[str]) -> None:
        """Writes a source file."""
        file = self.root / "examples" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def found(self) -> list[str]:
        """Returns what the check prints."""
        return [copy.shown(self.root) for copy in copies(self.root, sources(self.root))]

    def test_a_copy_in_another_example_is_found_once_with_its_length(self) -> None:
        self.write("one/src/lib.rs", ["fn one() {", *RUN, "extra();", "}"])
        indented = [f"    {line}" for line in RUN]
        self.write("two/src/deep/model.rs", ["", "fn two() {", *indented, "    extra();", "    }"])
        places = "examples/one/src/lib.rs:2 and examples/two/src/deep/model.rs:3"
        self.assertEqual(self.found(), [f"{MIN_LINES + 2} equal lines: {places}"])

    def test_shorter_runs_and_those_within_an_example_are_none(self) -> None:
        self.write("one/src/lib.rs", RUN)
        self.write("one/src/model.rs", RUN)
        self.write("two/src/lib.rs", RUN[:-1])
        self.write("three/tests/model.rs", RUN)
        self.assertEqual(self.found(), [])

    def test_a_line_that_differs_ends_a_run(self) -> None:
        self.write("one/src/lib.rs", [*RUN[:8], "other();", *RUN[8:]])
        self.write("two/src/lib.rs", RUN)
        self.assertEqual(self.found(), [])


if __name__ == "__main__":
    unittest.main()

"""Tests of scripts/check_links.py."""

from __future__ import annotations

import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import check_links


class CheckLinks(unittest.TestCase):
    """Links, anchors and paths of pages."""

    def setUp(self) -> None:
        """Makes a repository of two pages and a crate."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        root = mock.patch.object(check_links, "ROOT", self.root)
        root.start()
        self.addCleanup(root.stop)
        (self.root / "docs").mkdir()
        (self.root / "crates" / "shapes" / "src").mkdir(parents=True)
        (self.root / "crates" / "shapes" / "src" / "lib.rs").touch()
        (self.root / "docs" / "other.md").write_text("# Other\n\n## What's `new`\n")

    def problems(self, text: str) -> list[str]:
        """Returns what is wrong with a page of this text."""
        page = self.root / "docs" / "page.md"
        page.write_text(text, encoding="utf-8")
        return [*check_links.broken_links(page), *check_links.broken_paths(page)]

    def test_links_that_lead_somewhere_pass(self) -> None:
        text = "[a](other.md) [b](other.md#whats-new) [c](https://example.org) [d](#here)\n# Here\n"
        self.assertEqual(self.problems(text), [])

    def test_a_missing_page_is_found(self) -> None:
        self.assertEqual(
            self.problems("[a](missing.md)"), ["links to missing.md, which does not exist"]
        )

    def test_a_missing_heading_is_found(self) -> None:
        self.assertEqual(
            self.problems("[a](other.md#old)"),
            ["links to other.md#old, where no heading is called so"],
        )

    def test_links_in_code_are_no_links(self) -> None:
        self.assertEqual(self.problems("`[a](missing.md)`\n\n```\n[a](missing.md)\n```\n"), [])

    def test_a_missing_path_is_found(self) -> None:
        self.assertEqual(
            self.problems("`crates/shapes/src/lib.rs` `crates/*/src/old.rs`"),
            ["names crates/*/src/old.rs, which does not exist"],
        )

    def test_paths_under_a_heading_with_a_folder_start_there(self) -> None:
        self.assertEqual(
            self.problems("### `crates/shapes`\n\n`src/lib.rs` `src/old.rs`\n\n## More\n\n`src/x`"),
            ["names src/old.rs, which does not exist"],
        )


if __name__ == "__main__":
    unittest.main()

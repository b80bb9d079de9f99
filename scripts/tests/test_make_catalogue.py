"""Tests of scripts/make_catalogue.py."""

from __future__ import annotations

import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import make_catalogue

MANIFEST = """
[package]
name = "{name}"

[package.metadata.backend]
title = "Shapes"
summary = "Draws shapes"
modes = ["{mode}"]
controls = ["RectangleLabels"]
objects = ["Image"]
weights = [{{ name = "Small", source = "https://example.org", licence = "MIT", size = "1 MB" }}]
{needs}
"""


class MakeCatalogue(unittest.TestCase):
    """The tables of backends."""

    def setUp(self) -> None:
        """Puts one example into an empty repository."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        root = mock.patch.object(make_catalogue, "ROOT", Path(folder.name))
        root.start()
        self.addCleanup(root.stop)
        self.manifest = Path(folder.name) / "examples" / "shapes" / "Cargo.toml"
        self.manifest.parent.mkdir(parents=True)

    def write(
        self, name: str = "shapes", mode: str = "training", needs: str = "needs = []"
    ) -> None:
        """Writes the example's manifest."""
        text = MANIFEST.format(name=name, mode=mode, needs=needs)
        self.manifest.write_text(text, encoding="utf-8")

    def refusal(self) -> str:
        """Returns why the manifest is refused."""
        with self.assertRaises(make_catalogue.CatalogueError) as caught:
            make_catalogue.backend(self.manifest)
        return str(caught.exception)

    def test_a_row_has_tags_weights_and_their_licence(self) -> None:
        self.write()
        table = make_catalogue.long_table({"shapes": make_catalogue.backend(self.manifest)})
        self.assertEqual(
            table.splitlines()[-1],
            "| [shapes](shapes) | Draws shapes | training | `RectangleLabels` | `Image` "
            "| [Small](https://example.org) (MIT, 1 MB) | |",
        )

    def test_a_missing_key_is_named(self) -> None:
        self.write(needs="")
        self.assertIn("lacks needs", self.refusal())

    def test_an_unknown_mode_is_named(self) -> None:
        self.write(mode="guessing")
        self.assertIn("unknown mode guessing", self.refusal())

    def test_a_package_is_called_like_its_folder(self) -> None:
        self.write(name="forms")
        self.assertIn("a package called forms", self.refusal())

    def test_only_what_is_between_the_marks_is_replaced(self) -> None:
        page = self.manifest.parent / "README.md"
        begin, end = make_catalogue.BEGIN, make_catalogue.END
        page.write_text(f"before\n{begin}\nold\n{end}\nafter\n", encoding="utf-8")
        self.assertEqual(
            make_catalogue.with_table(page, "new\n"), f"before\n{begin}\nnew\n{end}\nafter\n"
        )


if __name__ == "__main__":
    unittest.main()

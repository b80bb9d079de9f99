"""Gives the check of layers packages that break them."""

from __future__ import annotations

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from check_layers import Package, broken_arrows, wrong_modalities


def package(
    name: str,
    folder: str = "crates",
    *,
    metadata: Package | None = None,
    **dependencies: str | None,
) -> Package:
    """Returns a package as cargo describes it; dependencies are given with their kind."""
    return {
        "name": name,
        "manifest_path": f"/repository/{folder}/{name}/Cargo.toml",
        "metadata": metadata,
        "dependencies": [
            {"name": used.replace("_", "-"), "kind": kind} for used, kind in dependencies.items()
        ],
    }


SDK = package("label-studio-sdk", serde=None)
YOLO = package("yolo", "examples", label_studio_sdk=None, label_studio_testing="dev")


class Arrows(unittest.TestCase):
    """What a package of the workspace may depend on."""

    def check(self, *packages: Package) -> list[str]:
        return broken_arrows(
            [SDK, YOLO, package("label-studio-testing", label_studio_sdk=None), *packages]
        )

    def test_the_layers_themselves(self) -> None:
        self.assertEqual(
            self.check(
                package("label-studio-ml", label_studio_sdk=None, label_studio_testing="dev")
            ),
            [],
        )

    def test_what_points_up(self) -> None:
        self.assertEqual(
            self.check(
                package("label-studio-ml", label_studio_ml_cli=None), package("label-studio-ml-cli")
            ),
            ["label-studio-ml must not depend on label-studio-ml-cli"],
        )

    def test_testing_is_for_tests(self) -> None:
        self.assertEqual(
            self.check(package("label-studio-services", label_studio_testing=None)),
            ["label-studio-services must not depend on label-studio-testing"],
        )

    def test_an_example_is_imported_by_nothing(self) -> None:
        self.assertEqual(
            self.check(
                package("label-studio-ml", yolo="dev"), package("sam", "examples", yolo=None)
            ),
            ["label-studio-ml must not depend on yolo", "sam must not depend on yolo"],
        )

    def test_a_crate_needs_a_layer(self) -> None:
        self.assertEqual(
            self.check(package("label-studio-video")),
            [
                "label-studio-video is in no layer: add it to scripts/check_layers.py and ARCHITECTURE.md"
            ],
        )


class Modalities(unittest.TestCase):
    """What is compiled into a backend."""

    def check(self, tags: list[str], *crates: str) -> list[str]:
        metadata = {"backend": {"controls": tags[:1], "objects": tags[1:]}}
        return wrong_modalities(package("backend", "examples", metadata=metadata), set(crates))

    def test_images_need_no_text(self) -> None:
        self.assertEqual(
            self.check(["RectangleLabels", "Image"], "label-studio-vision", "image"), []
        )
        (line,) = self.check(
            ["RectangleLabels", "Image"], "label-studio-vision", "label-studio-text"
        )
        self.assertIn("backend holds label-studio-text", line)

    def test_a_prompt_is_text(self) -> None:
        self.assertEqual(
            self.check(["TextArea", "Image"], "label-studio-vision", "label-studio-text"), []
        )

    def test_a_backend_may_read_what_its_label_config_does_not_show(self) -> None:
        metadata = {"backend": {"controls": [], "objects": []}, "layers": {"reads": ["Image"]}}
        reader = package("backend", "examples", metadata=metadata)
        self.assertEqual(wrong_modalities(reader, {"label-studio-vision"}), [])
        self.assertEqual(len(wrong_modalities(reader, {"label-studio-text"})), 1)

    def test_a_backend_without_metadata_has_no_modality(self) -> None:
        self.assertEqual(len(wrong_modalities(YOLO, {"label-studio-audio"})), 1)


if __name__ == "__main__":
    unittest.main()

import struct
import tempfile
import unittest
from pathlib import Path

from e2e.checks import CheckFailed
from e2e.images import png
from e2e.label_studio import LabelStudio, credentials
from e2e.scenarios import SCENARIOS
from e2e.scenarios.text import SCORE, regions


class ScenariosTest(unittest.TestCase):
    def test_every_scenario_has_a_name_of_its_own(self) -> None:
        names = [scenario.name for scenario in SCENARIOS]
        self.assertEqual(len(set(names)), len(names))

    def test_the_simplest_models_rules(self) -> None:
        choices, labels, area = regions("Good old days")
        self.assertEqual(choices["value"], {"choices": ["Happy"]})
        self.assertEqual(
            labels["value"], {"start": 0, "end": 4, "text": "Good", "labels": ["Person"]}
        )
        self.assertEqual(area["value"], {"text": ["echo: Good old days"]})
        self.assertEqual(SCORE, 0.75)

    def test_images_have_the_size_asked_for(self) -> None:
        self.assertEqual(struct.unpack(">II", png(31, 77, (1, 2, 3))[16:24]), (31, 77))

    def test_credentials_are_made_once_and_kept_private(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "credentials.json"
            self.assertEqual(credentials(file), credentials(file))
            self.assertEqual(file.stat().st_mode & 0o777, 0o600)

    def test_a_missing_label_studio_is_named_with_the_fix(self) -> None:
        with self.assertRaisesRegex(CheckFailed, "install_label_studio.sh"):
            LabelStudio(Path("nowhere"))

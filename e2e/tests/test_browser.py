import unittest

from e2e.browser.backends import interactive_backends, label_configs
from e2e.scenarios import SCENARIOS, Scenario

README = """# name

## Label config

Either:

```xml
<View><Text name="a" value="$a"/></View>
```

```sh
ls
```

```xml
<View/>
```

## Run

```xml
<Other/>
```
"""


class BrowserTest(unittest.TestCase):
    def test_label_configs_are_those_of_their_section(self) -> None:
        self.assertEqual(
            label_configs(README), ['<View><Text name="a" value="$a"/></View>\n', "<View/>\n"]
        )
        self.assertEqual(label_configs("# nothing"), [])

    def test_every_interactive_backend_has_a_label_config_and_a_scenario(self) -> None:
        names = {scenario.name for scenario in SCENARIOS}
        backends = interactive_backends()
        self.assertIn("segment_anything_model", [backend.name for backend in backends])
        for backend in backends:
            with self.subTest(backend.name):
                self.assertTrue(backend.label_configs)
                self.assertIn(f"browser-{backend.name}", names)
                for config in backend.label_configs:
                    self.assertTrue("<Image" not in config or backend.image)

    def test_scenarios_say_what_they_need(self) -> None:
        def play(_: object) -> None:
            raise AssertionError

        personal = Scenario("a", play, personal_token=True)
        self.assertEqual([personal.fits(f"1.{n}.1") for n in (13, 17, 23)], [False, True, True])
        newest = Scenario("b", play, needs=(1, 23))
        self.assertEqual([newest.fits(f"1.{n}.1") for n in (13, 17, 23)], [False, False, True])
        self.assertTrue(Scenario("c", play).fits("1.8.2.post1"))

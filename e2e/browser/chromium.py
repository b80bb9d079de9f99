"""A headless Chromium that is logged in to Label Studio."""

import shutil
import tempfile
from typing import Any

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from typing_extensions import Self

from e2e.checks import CheckFailed
from e2e.label_studio import LabelStudio
from e2e.process import wait_until

PROGRAMS = ["google-chrome", "chromium", "chromium-browser"]
# It runs as root in containers, draws without a GPU, and calls no other host.
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--window-size=1100,1700",
]
LOAD_SECONDS = 110


class Chromium:
    """One browser with an empty profile; use it in a `with` block."""

    def __init__(self, label_studio: LabelStudio) -> None:
        """Starts it and logs in as the administrator."""
        self._url = label_studio.url
        self._profile = tempfile.mkdtemp(prefix="chromium-")
        options = ChromeOptions()
        options.binary_location = program(PROGRAMS)
        for argument in [*ARGUMENTS, f"--user-data-dir={self._profile}"]:
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "SEVERE"})
        self.driver = Chrome(options, Service(program(["chromedriver"])))
        self.driver.set_page_load_timeout(LOAD_SECONDS)
        try:
            self._log_in(label_studio.username, label_studio.password)
        except BaseException:
            self.stop()
            raise

    def open(self, path: str) -> None:
        """Opens a page of Label Studio."""
        self.driver.get(self._url + path)

    def run(self, script: str, *arguments: Any) -> Any:
        """The value that a script returns in the page."""
        return self.driver.execute_script(script, *arguments)

    def wait_for(self, script: str, what: str, *arguments: Any, seconds: float = 60) -> Any:
        """Repeats a script until it returns something true, and returns that."""
        return wait_until(lambda: self.run(script, *arguments), seconds, what)

    def stop(self) -> None:
        """Ends it and removes its profile."""
        self.driver.quit()
        shutil.rmtree(self._profile, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _log_in(self, username: str, password: str) -> None:
        self.open("/user/login/")
        self.driver.find_element(By.NAME, "email").send_keys(username)
        self.driver.find_element(By.NAME, "password").send_keys(password)
        self.driver.find_element(By.CSS_SELECTOR, "button[type=submit]").click()
        self.wait_for("return !location.pathname.startsWith('/user/login')", "logged in")


def program(names: list[str]) -> str:
    """The first of some programs that is installed."""
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        raise CheckFailed(f"{names[0]} is missing; scripts/install_browser.sh installs it")
    return found

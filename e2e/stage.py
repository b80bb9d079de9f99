"""What a scenario plays on: Label Studio, its client, and everything that has to be put away
afterwards.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from e2e.backend import Backend
from e2e.client import Client
from e2e.label_studio import LabelStudio
from e2e.project import Project
from e2e.recorder import Recorder
from e2e.report import STEP_SECONDS, Report

if TYPE_CHECKING:
    from e2e.browser.chromium import Chromium

PYTHON_COMMAND = Path(__file__).resolve().parent.parent / ".venv-python/bin/label-studio-ml"


@dataclass
class Stage:
    """Made for one scenario; `cleanup` runs when the scenario ends."""

    name: str
    report: Report
    label_studio: LabelStudio
    client: Client
    programs: Path
    chromium: Callable[[], "Chromium"]
    """The browser, one for all scenarios, which starts when it is first asked for."""
    screenshots: bool = False
    """Whether the screenshots of the READMEs are written."""
    cleanup: ExitStack = field(default_factory=ExitStack)

    def step(self, what: str, seconds: int = STEP_SECONDS) -> AbstractContextManager[None]:
        """A step of this scenario."""
        return self.report.step(self.name, what, seconds)

    def backend(self, program: str, environment: Mapping[str, str] | None = None) -> Backend:
        """Starts a backend that knows where Label Studio is and holds this stage's token."""
        known = {
            "LABEL_STUDIO_URL": self.label_studio.url,
            "LABEL_STUDIO_API_KEY": self.client.token,
        }
        return self.cleanup.enter_context(
            Backend(self.programs / program, known | dict(environment or {}))
        )

    def python_backend(self, folder: Path, environment: Mapping[str, str] | None = None) -> Backend:
        """Starts a backend whose model is in Python, with the Python package's `label-studio-ml
        start`.
        """
        known = {
            "LABEL_STUDIO_URL": self.label_studio.url,
            "LABEL_STUDIO_API_KEY": self.client.token,
        }
        arguments = ["start", str(folder)]
        backend = Backend(PYTHON_COMMAND, known | dict(environment or {}), arguments=arguments)
        return self.cleanup.enter_context(backend)

    def recorder(self, backend: Backend) -> Recorder:
        """Puts a recorder in front of a backend."""
        return self.cleanup.enter_context(Recorder(backend.url))

    def project(self, label_config: str) -> Project:
        """Makes a project, which is deleted when the scenario ends."""
        project = Project(self.client, f"end to end: {self.name}", label_config)
        self.cleanup.callback(self.client.call, "DELETE", f"/api/projects/{project.id}")
        return project

"""A backend under test, started from its binary."""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import requests
from typing_extensions import Self

from e2e.checks import CheckFailed
from e2e.process import Process, free_port

START_SECONDS = 30


class Backend:
    """A running backend with its own `MODEL_DIR`; use it in a `with` block."""

    def __init__(
        self,
        program: Path,
        environment: Mapping[str, str],
        port: int | None = None,
        folder: Path | None = None,
        arguments: Sequence[str] = (),
    ) -> None:
        """Starts `program`; with `folder`, what the model has learnt is kept there for the next
        time.
        """
        if not program.exists():
            raise CheckFailed(f"{program} is missing; build it with cargo build -p {program.name}")
        self.auth: tuple[str, str] | None = None
        if "BASIC_AUTH_USER" in environment:
            self.auth = (environment["BASIC_AUTH_USER"], environment["BASIC_AUTH_PASS"])
        self._program, self._environment, self._arguments = program, environment, arguments
        self._temporary = folder is None
        self._folder = (
            Path(tempfile.mkdtemp(prefix=f"{program.name}-"))
            if folder is None
            else folder.absolute()
        )
        self._port = port or free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._start()

    def get(self, path: str) -> requests.Response:
        """Calls a route of the backend with its credentials."""
        return requests.get(self.url + path, auth=self.auth, timeout=10)

    def restart(self) -> int:
        """Ends the backend, starts it again on the same `MODEL_DIR`; returns its exit status."""
        code = self.process.stop()
        self._start()
        return code

    def stop(self) -> int:
        """Ends the backend, removes its temporary folder, and returns its exit status."""
        code = self.process.stop()
        if self._temporary:
            shutil.rmtree(self._folder, ignore_errors=True)
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start(self) -> None:
        places = {"MODEL_DIR": str(self._folder / "model"), "PORT": str(self._port)}
        (self._folder / "model").mkdir(parents=True, exist_ok=True)
        command = [str(self._program), *self._arguments, "--host", "127.0.0.1"]
        self.process = Process(
            command, {**self._environment, **places}, self._folder / "backend.log"
        )
        try:
            self.process.wait_until(self._is_loaded, START_SECONDS)
        except BaseException:
            self.stop()
            raise

    def _is_loaded(self) -> bool:
        try:
            is_loaded: bool = self.get("/ready").ok
            return is_loaded
        except requests.RequestException:
            return False

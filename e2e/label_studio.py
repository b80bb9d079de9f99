"""A private Label Studio: SQLite, loopback only, nothing sent anywhere."""

import json
import secrets
import shutil
import tempfile
from pathlib import Path

import requests
from typing_extensions import Self

from e2e.checks import CheckFailed
from e2e.client import Client
from e2e.process import Process, free_port

# The first start of an empty folder runs some hundred database migrations: a minute, or many on a
# busy machine. Each of them changes the database, so a start has failed when nothing happens for
# this long.
START_SECONDS = 240

SETTINGS = {
    "COLLECT_ANALYTICS": "false",
    "FRONTEND_SENTRY_DSN": "",
    "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
    "LATEST_VERSION_CHECK": "false",
    "LOG_LEVEL": "WARNING",
    "ML_BLOCK_LOCAL_IP": "false",
    "SENTRY_DSN": "",
    "SSRF_PROTECTION_ENABLED": "false",
}


class LabelStudio:
    """A running server; use it in a `with` block."""

    def __init__(self, venv: Path, data: Path | None = None, port: int | None = None) -> None:
        """Starts the server of `venv`; with `data`, its database is kept there."""
        program = venv.absolute() / "bin" / "label-studio"
        if not program.exists():
            raise CheckFailed(f"{program} is missing; scripts/install_label_studio.sh makes it")
        self._temporary = data is None
        self._data = (
            Path(tempfile.mkdtemp(prefix="label-studio-")) if data is None else data.resolve()
        )
        self._data.mkdir(parents=True, exist_ok=True)
        self.username, self.password, self.token = credentials(self._data / "credentials.json")
        port = port or free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = [
            str(program),
            "start",
            "--no-browser",
            "--internal-host",
            "127.0.0.1",
            "--port",
            str(port),
        ]
        places = {"LABEL_STUDIO_BASE_DATA_DIR": str(self._data), "LABEL_STUDIO_HOST": self.url}
        secret = {
            "LABEL_STUDIO_PASSWORD": self.password,
            "LABEL_STUDIO_USER_TOKEN": self.token,
            "LABEL_STUDIO_USERNAME": self.username,
        }
        self.process = Process(command, SETTINGS | places | secret, self._data / "label-studio.log")
        try:
            self.process.wait_until(self._is_up, START_SECONDS, self._progress)
        except BaseException:
            self.stop()
            raise

    def client(self) -> Client:
        """A client that holds the administrator's legacy token."""
        return Client(self.url, self.token)

    def release(self) -> str:
        """The version of the server."""
        release: str = self.client().get("/api/version")["release"]
        return release

    def stop(self) -> None:
        """Ends the server and removes its temporary folder."""
        self.process.stop()
        if self._temporary:
            shutil.rmtree(self._data, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _progress(self) -> list[tuple[int, int]]:
        """Changes with each migration, and with each line of the log."""
        files = (self._data / "label_studio.sqlite3", self.process.log)
        states = [file.stat() for file in files if file.exists()]
        return [(state.st_size, state.st_mtime_ns) for state in states]

    def _is_up(self) -> bool:
        try:
            if not requests.get(f"{self.url}/health", timeout=2).ok:
                return False
            is_ours = (
                self.client().call("GET", "/api/current-user/whoami", timeout=10).status_code != 401
            )
        except requests.RequestException:
            return False
        if not is_ours:
            raise CheckFailed(
                f"another Label Studio has taken {self.url}; try again, or choose another port"
            )
        return True


def credentials(file: Path) -> tuple[str, str, str]:
    """User name, password and legacy token of the administrator, made on the first call."""
    if not file.exists():
        fresh = ("admin@localhost", secrets.token_urlsafe(9), secrets.token_hex(20))
        file.touch(mode=0o600)
        file.write_text(json.dumps(fresh))
    username, password, token = json.loads(file.read_text())
    return username, password, token

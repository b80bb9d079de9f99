"""Programs started here: each leads its own process group and is ended by its own id."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from e2e.checks import CheckFailed

T = TypeVar("T")


class Process:
    """A running program whose output goes to a file."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.name = Path(command[0]).name
        self.log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                env={**os.environ, **environment},
                cwd=log.parent,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until(
        self,
        ready: Callable[[], bool],
        seconds: float,
        progress: Callable[[], object] = lambda: None,
    ) -> None:
        """Waits until `ready` holds; fails early when the program ends. The time begins again
        whenever `progress` returns another value.
        """

        def ready_or_ended() -> bool:
            code = self._process.poll()
            if code is not None:
                raise CheckFailed(f"{self.name} ended with status {code}: {self.log_tail()}")
            return ready()

        try:
            wait_until(ready_or_ended, seconds, f"{self.name} is ready", progress)
        except CheckFailed as failure:
            raise CheckFailed(f"{failure}: {self.log_tail()}") from failure

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def is_running(self) -> bool:
        """Whether the program has not ended yet."""
        return self._process.poll() is None

    def stop(self, seconds: float = 15) -> int:
        """Asks the program to end, kills it when it does not, and returns its exit status."""
        if self._process.returncode is None:
            self._signal_group(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)
            self._signal_group(signal.SIGKILL)
        return self._process.wait()

    def log_tail(self, length: int = 1500) -> str:
        """The end of what the program has printed."""
        return self.log.read_bytes()[-length:].decode("utf-8", "replace").strip()

    def _signal_group(self, number: int) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


def free_port(preferred: int = 0) -> int:
    """A free port of the loopback interface; the preferred one when it is free."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", preferred))
        except OSError:
            return free_port()
        port: int = listener.getsockname()[1]
        return port


def wait_until(
    probe: Callable[[], T],
    seconds: float,
    what: str,
    progress: Callable[[], object] = lambda: None,
) -> T:
    """Repeats `probe` until it returns something true, and returns that. The time begins again
    whenever `progress` returns another value.
    """
    reached, deadline = progress(), time.monotonic() + seconds
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() > deadline:
            last, reached = reached, progress()
            if reached == last:
                raise CheckFailed(f"waited {seconds:.0f} s in vain until {what}")
            deadline = time.monotonic() + seconds
        time.sleep(0.05)

"""One line per step, and a count at the end."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import requests

from e2e.checks import CheckFailed

# Above Label Studio's own limit of 100 s for a prediction.
STEP_SECONDS = 120

EXPECTED_FAILURES = (
    CheckFailed,
    requests.RequestException,
    LookupError,
    TypeError,
    ValueError,
    OSError,
)


class StepFailed(Exception):
    """A step failed and has been reported; the rest of its scenario makes no sense."""


class Report:
    """Prints and counts steps."""

    def __init__(self) -> None:
        self.n_passed = 0
        self.failures: list[str] = []

    @contextmanager
    def step(self, scenario: str, what: str, seconds: int = STEP_SECONDS) -> Iterator[None]:
        """Runs the block as one step: it passes when the block ends within `seconds`."""
        name, started = f"{scenario}: {what}", time.monotonic()
        try:
            with time_limit(seconds):
                yield
        except EXPECTED_FAILURES as error:
            reason = (
                str(error) if isinstance(error, CheckFailed) else f"{type(error).__name__}: {error}"
            )
            self.failures.append(name)
            print(f"FAIL  {name} - {' '.join(reason.split())}", flush=True)
            raise StepFailed(name) from error
        self.n_passed += 1
        print(f"ok    {name} ({time.monotonic() - started:.1f} s)", flush=True)

    def closing_line(self) -> str:
        """`N passed, N failed`."""
        return f"{self.n_passed} passed, {len(self.failures)} failed"


@contextmanager
def time_limit(seconds: int) -> Iterator[None]:
    """Fails the block when it takes longer; works in the main thread only."""

    def expired(*_: object) -> None:
        raise CheckFailed(f"took longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, expired)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)

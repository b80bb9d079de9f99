"""Jobs of the server, and the one that the current call works on."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from contextvars import ContextVar
from threading import Lock
from typing import Any, Callable, Protocol

from ..job import Job

NO_JOB = Job()
"""What calls work on that are no job."""

CURRENT: ContextVar[Job] = ContextVar("job", default=NO_JOB)
"""The job that this thread works on."""

_MAX_UNFINISHED_LINE = 4096


class Link(Protocol):
    """How a job reaches the server."""

    def progress(self, fraction: float, message: str) -> None:
        """Sends the progress; `fraction` may be NaN."""

    def log(self, line: str) -> None:
        """Sends lines for the log."""

    def is_cancelled(self) -> bool:
        """Returns whether the job should end."""


class ServerJob(Job):
    """A job of the server. After its end it takes nothing more, nor does it in a fork, where it
    would write between what this process writes.
    """

    def __init__(self, link: Link) -> None:
        self._link: Link | None = link
        self._process = os.getpid()
        self._is_cancelled = False
        self._unfinished_line = ""
        self._lock = Lock()

    def progress(self, fraction: float, message: str = "") -> None:
        """Tells users how much is done, from 0 to 1, and what is done now."""
        fraction, message = float(fraction), str(message)
        with self._linked() as link:
            if link is not None:
                link.progress(fraction, message)

    def log(self, line: str) -> None:
        """Adds a line to the job's log, of which the last 64 KiB are kept."""
        line = str(line)
        with self._linked() as link:
            if link is not None:
                link.log(line)

    def is_cancelled(self) -> bool:
        """Returns whether the job should end, because a user asked for that."""
        with self._linked() as link:
            if link is not None and not self._is_cancelled:
                self._is_cancelled = link.is_cancelled()
        return self._is_cancelled

    def print(self, text: str) -> None:
        """Adds the lines of printed text to the log. A progress bar draws over its line, of which
        only the last state counts.
        """
        with self._linked() as link:
            if link is None:
                return
            finished, newline, unfinished = (self._unfinished_line + text).rpartition("\n")
            self._unfinished_line = unfinished[-_MAX_UNFINISHED_LINE:]
            if newline:
                link.log("\n".join(map(_visible, finished.split("\n"))))

    def end(self) -> None:
        """Cuts the job off from the server."""
        with self._linked() as link:
            last_line = _visible(self._unfinished_line)
            # What is left of it is lost with the connection.
            with contextlib.suppress(OSError):
                if last_line and link is not None:
                    link.log(last_line)
            self._unfinished_line = ""
            self._link = None

    @contextlib.contextmanager
    def _linked(self) -> Iterator[Link | None]:
        if os.getpid() != self._process:
            # The lock may have been held when this process was forked.
            yield None
            return
        with self._lock:
            yield self._link


@contextlib.contextmanager
def working_on(link: Link) -> Iterator[None]:
    """Makes a job the current one, until it ends."""
    job = ServerJob(link)
    token = CURRENT.set(job)
    try:
        yield
    finally:
        CURRENT.reset(token)
        job.end()


def log_what_is_printed() -> None:
    """Adds what trainings print from now on to the logs of their jobs: what the thread of `fit`
    writes to the standard output or the standard error.
    """
    for stream in (sys.stdout, sys.stderr):
        # It may be missing, or of a type whose objects take no attributes.
        with contextlib.suppress(AttributeError, TypeError):
            if not isinstance(stream.write, _Tee):
                stream.write = _Tee(stream.write)  # type: ignore[method-assign]


class _Tee:
    """Writes to a stream, and to the log of the current job."""

    def __init__(self, write: Callable[[str], int]) -> None:
        self._write = write

    def __call__(self, text: str) -> int:
        n_written = self._write(text)
        job: Any = CURRENT.get()
        if job is not NO_JOB:
            # What is printed must not fail because of the server.
            with contextlib.suppress(Exception):
                job.print(text)
        return n_written


def _visible(line: str) -> str:
    """Returns what is seen of a line that was drawn over."""
    return line.rstrip("\r").rpartition("\r")[2]

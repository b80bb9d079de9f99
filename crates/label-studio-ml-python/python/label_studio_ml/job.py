"""The job that a training runs as: its progress, its log, and whether it should end."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar, overload

from typing_extensions import Self

T = TypeVar("T")

_SECONDS_BETWEEN_REPORTS = 0.2


class Job:
    """The job that `fit` runs as, as `self.job`.

    Its methods may be called from any thread and as often as you like. This one is stored nowhere:
    it takes everything and is never cancelled. It is what a model gets outside of `fit`, in tests,
    and under a WSGI server.
    """

    def progress(self, fraction: float, message: str = "") -> None:
        """Tells users how much is done, from 0 to 1, and what is done now."""

    def log(self, line: str) -> None:
        """Adds a line to the job's log, of which the last 64 KiB are kept."""

    def is_cancelled(self) -> bool:
        """Returns whether the job should end, because a user asked for that. The process of a
        training that goes on is killed after CANCEL_GRACE seconds.
        """
        return False

    @overload
    def tqdm(
        self, iterable: Iterable[T], desc: str | None = None, total: float | None = None, **_: Any
    ) -> ProgressBar[T]: ...

    @overload
    def tqdm(
        self, iterable: None = None, desc: str | None = None, total: float | None = None, **_: Any
    ) -> ProgressBar[Any]: ...

    def tqdm(
        self,
        iterable: Iterable[Any] | None = None,
        desc: str | None = None,
        total: float | None = None,
        **_: Any,
    ) -> ProgressBar[Any]:
        """Returns a progress bar that is used like one of `tqdm`, and shown where jobs are shown.
        Other arguments of `tqdm` are accepted and ignored.
        """
        return ProgressBar(self, iterable, desc, total)

    def __reduce__(self) -> tuple[Any, ...]:
        # A model may be copied or sent to another process, which the job does not reach.
        return Job, ()


class ProgressBar(Generic[T]):
    """A progress bar that reports to a job, with the methods of `tqdm` that trainings use."""

    def __init__(
        self, job: Job, iterable: Iterable[T] | None, desc: str | None, total: float | None
    ) -> None:
        """Creates a bar. Without `total` it is the length of `iterable`, if that has one."""
        if total is None and hasattr(iterable, "__len__"):
            total = len(iterable)  # type: ignore[arg-type]
        self.n: float = 0
        self.total = total
        self.desc = desc or ""
        self._job = job
        self._iterable = iterable
        self._postfix = ""
        self._reported_at = float("-inf")

    def __iter__(self) -> Iterator[T]:
        self._report()
        for item in self._iterable or ():
            yield item
            self.update()
        self.close()

    def __len__(self) -> int:
        return int(self.total or 0)

    def __bool__(self) -> bool:
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def update(self, n: float = 1) -> None:
        """Counts `n` more as done."""
        self.n += n
        if time.monotonic() - self._reported_at >= _SECONDS_BETWEEN_REPORTS:
            self._report()

    def reset(self, total: float | None = None) -> None:
        """Begins again."""
        self.n = 0
        if total is not None:
            self.total = total
        self._report()

    def set_description(self, desc: str | None = None, refresh: bool = True) -> None:
        """Sets the text before the numbers."""
        self.desc = desc or ""
        if refresh:
            self._report()

    def set_postfix(
        self, ordered_dict: Mapping[str, Any] | None = None, refresh: bool = True, **values: Any
    ) -> None:
        """Sets values after the numbers, such as the loss."""
        pairs = {**(ordered_dict or {}), **values}
        self._postfix = ", ".join(f"{name}={_text(value)}" for name, value in pairs.items())
        if refresh:
            self._report()

    def set_postfix_str(self, s: str = "", refresh: bool = True) -> None:
        """Sets a text after the numbers."""
        self._postfix = s
        if refresh:
            self._report()

    def write(self, s: str, *_: Any, **__: Any) -> None:
        """Adds a line to the job's log."""
        self._job.log(s)

    def refresh(self, *_: Any, **__: Any) -> None:
        """Reports at once."""
        self._report()

    def close(self) -> None:
        """Reports the end."""
        self._report()

    def _report(self) -> None:
        self._reported_at = time.monotonic()
        count = f"{_text(self.n)}/{_text(self.total)}" if self.total else _text(self.n)
        message = " ".join(part for part in (self.desc, count, self._postfix) if part)
        self._job.progress(self.n / self.total if self.total else float("nan"), message)


def _text(value: Any) -> str:
    try:
        # Tensors and numpy numbers, too.
        return str(value) if isinstance(value, (int, str)) else f"{float(value):.4g}"
    except (TypeError, ValueError):
        return str(value)

"""What the Rust server calls in this process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    from ._native import Job


@dataclass(frozen=True)
class ServedApp:
    """The functions that answer, and the settings of their app."""

    answer: Callable[[str, bytes, str, Job | None], tuple[int, bytes]]
    """Path, body, request id and the job of a training to status and body."""
    custom: Callable[[str, bytes, str], tuple[int, bytes]] | None
    """Head, body and id of a request for a custom route to status and answer; None without any."""
    model_class: str
    threads: int
    basic_auth: tuple[str, str] | None
    own_routes: list[str]
    """Routes such as `GET /live` that the app answers although the Rust server has such ones."""

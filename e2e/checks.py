"""Comparisons that say what differs; plain `assert` would vanish under `python -O`."""

import json
from typing import Any


class CheckFailed(Exception):
    """Something is not as it should be."""


def check(condition: object, what: str) -> None:
    """Fails with `what` unless `condition` holds."""
    if not condition:
        raise CheckFailed(what)


def equal(actual: Any, wanted: Any, what: str) -> None:
    """Fails unless `actual` is `wanted`."""
    if actual != wanted:
        raise CheckFailed(f"{what}: wanted {short(wanted)}, got {short(actual)}")


def status(response: Any, wanted: int) -> None:
    """Fails unless an HTTP response has the wanted status."""
    if response.status_code != wanted:
        request = response.request
        raise CheckFailed(
            f"{request.method} {request.url}: HTTP {response.status_code}: {response.text[:300]}"
        )


def short(value: Any, limit: int = 400) -> str:
    """`value` as JSON, cut to a length that fits a line of output."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= limit else f"{text[:limit]}..."

"""Reads and writes JSON with orjson where it is installed, else, and where orjson fails, with the
standard library.
"""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import functools
import json
import math
import uuid
from email.utils import format_datetime
from typing import Any

try:
    import orjson
except ImportError:
    orjson = None  # type: ignore[assignment]
    _OPTIONS = 0
else:
    _OPTIONS = (
        orjson.OPT_SORT_KEYS
        | orjson.OPT_PASSTHROUGH_DATETIME
        | orjson.OPT_PASSTHROUGH_DATACLASS
        | orjson.OPT_SERIALIZE_NUMPY
    )


def loads(text: bytes) -> Any:
    """Reads JSON, which may contain NaN and Infinity."""
    if orjson is not None:
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            pass
    return json.loads(text)


def dumps(value: Any) -> bytes:
    """Writes JSON with sorted keys; numbers that JSON does not have become null."""
    if orjson is not None:
        try:
            return orjson.dumps(value, _plain, _OPTIONS)
        except TypeError:
            pass
    try:
        text = _dumps(value, default=_plain, allow_nan=False)
    except ValueError:
        text = _dumps(_finite(value), default=lambda x: _finite(_plain(x)))
    return text.encode()


_dumps = functools.partial(json.dumps, separators=(",", ":"), sort_keys=True)


def _plain(value: Any) -> Any:
    """Converts values that JSON lacks as Flask does; also numpy values and pydantic models."""
    if hasattr(value, "dtype") and hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, float):
        return float(value)
    if isinstance(value, datetime.datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=datetime.timezone.utc)
        return format_datetime(aware.astimezone(datetime.timezone.utc), usegmt=True)
    if isinstance(value, datetime.date):
        return _plain(datetime.datetime(value.year, value.month, value.day))
    if isinstance(value, (decimal.Decimal, uuid.UUID)):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if hasattr(value, "_dict") and hasattr(value, "from_tag"):
        return value._dict()
    if hasattr(value, "model_dump"):
        return value.model_dump()
    if hasattr(value, "__html__"):
        return str(value.__html__())
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value

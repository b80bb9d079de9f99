"""The app that Label Studio talks to."""

from __future__ import annotations

import hmac
import importlib
import os
from typing import Any, Optional, Type

from ._internal.app import App
from ._internal.instances import INSTANCES
from .exceptions import exception_handler as exception_handler
from .model import LabelStudioMLBase
from .response import ModelResponse as ModelResponse

TRAIN_EVENTS = LabelStudioMLBase.TRAIN_EVENTS

_server = App(LabelStudioMLBase)


def init_app(
    model_class: Type[LabelStudioMLBase],
    basic_auth_user: Optional[str] = None,
    basic_auth_pass: Optional[str] = None,
) -> App:
    """Returns the WSGI app for a model class.

    User and password come from BASIC_AUTH_USER and BASIC_AUTH_PASS if not given; without both there is no check.
    """
    if not issubclass(model_class, LabelStudioMLBase):
        raise ValueError(f"{model_class.__name__} is not a subclass of LabelStudioMLBase")
    user = basic_auth_user or os.environ.get("BASIC_AUTH_USER")
    password = basic_auth_pass or os.environ.get("BASIC_AUTH_PASS")
    _server.model_class = model_class
    _server.basic_auth = (user, password) if user and password else None
    INSTANCES.forget()
    return _server


def safe_str_cmp(a: str, b: str) -> bool:
    """Compares two texts in constant time."""
    return hmac.compare_digest(a, b)


def __getattr__(name: str) -> Any:
    # Flask is imported when one of its names is first used.
    if name in ("Flask", "Response", "jsonify", "request"):
        return getattr(importlib.import_module("flask"), name)
    if name == "MODEL_CLASS":
        return _server.model_class
    if name == "BASIC_AUTH":
        return _server.basic_auth
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

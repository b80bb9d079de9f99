"""The app that Label Studio talks to."""

from __future__ import annotations

import os
from typing import Any, Optional, Type

from ._app import App
from ._instances import INSTANCES
from .model import LabelStudioMLBase

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


def __getattr__(name: str) -> Any:
    if name == "MODEL_CLASS":
        return _server.model_class
    if name == "BASIC_AUTH":
        return _server.basic_auth
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""The app that Label Studio talks to."""

from __future__ import annotations

import hmac
import importlib
import logging
import os
from typing import Any

from ._internal import calls, distributions
from ._internal.app import App
from ._internal.instances import INSTANCES
from .exceptions import exception_handler as exception_handler
from .model import LabelStudioMLBase
from .response import ModelResponse as ModelResponse

logger = logging.getLogger(__name__)

TRAIN_EVENTS = LabelStudioMLBase.TRAIN_EVENTS

_server = App(LabelStudioMLBase)


def init_app(
    model_class: type[LabelStudioMLBase],
    basic_auth_user: str | None = None,
    basic_auth_pass: str | None = None,
    **ignored: Any,
) -> App:
    """Returns the WSGI app for a model class.

    User and password come from BASIC_AUTH_USER and BASIC_AUTH_PASS if not given; without both there
    is no check. Further arguments, such as `model_dir` and `redis_host` of the releases 1.0.x, have
    no effect.
    """
    if not issubclass(model_class, LabelStudioMLBase):
        raise ValueError(f"{model_class.__name__} is not a subclass of LabelStudioMLBase")
    if ignored:
        logger.info("arguments of init_app without effect: %s", ", ".join(sorted(ignored)))
    user = basic_auth_user or os.environ.get("BASIC_AUTH_USER")
    password = basic_auth_pass or os.environ.get("BASIC_AUTH_PASS")
    _server.model_class = model_class
    _server.basic_auth = (user, password) if user and password else None
    INSTANCES.forget()
    if calls.runs_in_server():
        warning = distributions.conflict()
        if warning is not None:
            logger.warning("%s", warning)
        # Here, so that the first request need not wait, and forked processes share it.
        calls.warm_up()
    return _server


def _predict() -> Any:
    """Answers `flask.request` as a request to `/predict`; a view for custom routes, like the next
    four.
    """
    return _server.view("/predict")


def _setup() -> Any:
    """Answers `flask.request` as a request to `/setup`."""
    return _server.view("/setup")


def webhook() -> Any:
    """Answers `flask.request` as a request to `/webhook`."""
    return _server.view("/webhook")


def health() -> Any:
    """Answers `flask.request` as a request to `/health`."""
    return _server.view("/health")


def metrics() -> Any:
    """Answers `flask.request` as a request to `/metrics`."""
    return _server.view("/metrics")


def check_auth() -> Any:
    """Returns the answer to a `flask.request` without valid credentials, else None; for
    `before_request` of other apps.
    """
    return _server.check_auth(importlib.import_module("flask").request.environ)


def log_request_info() -> None:
    """Logs `flask.request` at DEBUG, without credentials; for `before_request` of other apps."""
    request = importlib.import_module("flask").request
    headers = {
        name: value for name, value in request.headers.items() if name.lower() != "authorization"
    }
    logger.debug("request headers: %s, body: %r", headers, request.get_data())


def log_response_info(response: Any) -> Any:
    """Logs a response at level DEBUG and returns it; for `after_request` of other apps."""
    logger.debug("response status: %s, body: %r", response.status, response.get_data())
    return response


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

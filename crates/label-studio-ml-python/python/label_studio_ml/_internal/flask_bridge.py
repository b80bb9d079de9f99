"""Flask for models that use it: `flask.request` during a call, and custom routes."""

from __future__ import annotations

import contextvars
import importlib.util
import logging
import sys
from importlib.abc import MetaPathFinder
from threading import Lock
from typing import Any, Callable

from .http import Response, make_environ

logger = logging.getLogger(__name__)


class _Settings(dict[str, Any]):
    """Settings that work without Flask; methods of Flask's config, such as `from_object`, are taken
    from it when called.
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(flask_app().config, name)


config = _Settings({"DEBUG": False, "TESTING": False})
"""The settings of the app until the Flask app exists, which then copies them."""

_app: Any = None
_lock = Lock()


def flask_app() -> Any:
    """Returns the Flask app behind ours, created at the first use. Needs Flask."""
    global _app
    with _lock:
        if _app is None:
            _app = _make_app()
        return _app


def _make_app() -> Any:
    from flask import Flask
    from flask import Request as FlaskRequestObject

    class RereadableRequest(FlaskRequestObject):
        """Keeps its data after a form was read from it: the Python original logged it."""

        def _load_form_data(self) -> None:
            self.get_data()
            super()._load_form_data()

    app = Flask("label_studio_ml", static_folder=None)
    app.request_class = RereadableRequest
    app.config.update(config)
    for error, handler in _HANDLERS.items():
        app.register_error_handler(error, handler)
    return app


def _not_found(error: Exception) -> tuple[str, int]:
    logger.warning("%s", error)
    return str(error), 404


def _failed(error: Exception) -> tuple[str, int]:
    logger.error("%s", error, exc_info=error)
    return str(error), 500


_HANDLERS: dict[Any, Callable[[Exception], tuple[str, int]]] = {
    FileNotFoundError: _not_found,
    AssertionError: _failed,
    IndexError: _failed,
}
"""Answers to exceptions that a view raises."""


def existing_app() -> Any:
    """Returns the Flask app behind ours, or None if it was never needed."""
    return _app


def is_extended() -> bool:
    """Returns whether routes or hooks were added to the Flask app."""
    return bool(rules()) or has_hooks()


def rules() -> list[Any]:
    """Returns the URL rules of the Flask app."""
    return [] if _app is None else list(_app.url_map.iter_rules())


def has_hooks() -> bool:
    """Returns whether request hooks or error handlers were added to the Flask app."""
    if _app is None:
        return False
    around = (_app.before_request_funcs, _app.after_request_funcs)
    by_status = (_app.error_handler_spec.get(None) or {}).values()
    handlers = [handler for by_error in by_status for handler in by_error.values()]
    return any(functions.get(None) for functions in around) or any(
        one not in _HANDLERS.values() for one in handlers
    )


def with_hooks(environ: dict[str, Any], answer: Callable[[], Response]) -> Any:
    """Answers a request to one of our own routes, with the Flask app's hooks around it."""
    app = flask_app()
    with app.request_context(environ):
        try:
            early = app.preprocess_request()
            ours = answer() if early is None else None
            response = app.make_response(
                early if ours is None else (ours.data, ours.status, ours.headers)
            )
        except Exception as error:
            response = app.make_response(app.handle_user_exception(error))
        return app.process_response(response)


def answers(environ: dict[str, Any], is_ours: bool) -> bool:
    """Returns whether the Flask app answers a request. On our own routes it answers methods that
    were added.
    """
    if _app is None or not is_extended():
        return False
    from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

    try:
        _app.create_url_adapter(_app.request_class(environ)).match()
    except NotFound:
        return not is_ours and has_hooks()
    except MethodNotAllowed:
        return not is_ours
    except HTTPException:
        # Such as a redirect.
        return True
    return True


class FlaskRequest:
    """A context in which `flask.request` is the request, also when Flask is imported inside it."""

    def __init__(self, environ: dict[str, Any] | None, method: str, path: str, body: bytes) -> None:
        self._environ = environ
        self._request = (method, path, body)
        self._context: Any = None

    def __enter__(self) -> None:
        if "flask" in sys.modules:
            self.push()
        else:
            _current.set(self)

    def __exit__(self, *exception: object) -> None:
        if self._context is not None:
            self._context.__exit__(*exception)
        else:
            _current.set(None)

    def push(self) -> None:
        """Makes it `flask.request`."""
        environ = make_environ(*self._request) if self._environ is None else self._environ
        self._context = flask_app().request_context(environ)
        self._context.__enter__()


class _ImportOfFlask(MetaPathFinder):
    """Sets `flask.request` when a model imports Flask during a call, as imports inside functions
    do.
    """

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != "flask":
            return None
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is None or spec.loader is None:
            return None
        load = spec.loader.exec_module

        def load_and_push(module: Any) -> None:
            load(module)
            request = _current.get()
            if request is not None:
                request.push()

        spec.loader.exec_module = load_and_push  # type: ignore[method-assign]
        return spec


_current: contextvars.ContextVar[FlaskRequest | None] = contextvars.ContextVar(
    "flask_request", default=None
)

if "flask" not in sys.modules:
    sys.meta_path.insert(0, _ImportOfFlask())

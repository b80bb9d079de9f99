"""Flask for models that want it: `flask.request` while they run, and routes of their own."""

from __future__ import annotations

import contextvars
import importlib.util
import sys
from importlib.abc import MetaPathFinder
from threading import Lock
from typing import Any, Dict, List, Optional

from ._http import make_environ

_app: Any = None
_lock = Lock()


def flask_app() -> Any:
    """Returns the Flask app behind ours, made at the first use. Needs Flask."""
    global _app
    with _lock:
        if _app is None:
            from flask import Flask

            _app = Flask("label_studio_ml", static_folder=None)
        return _app


def has_routes() -> bool:
    """Tells whether somebody added a route to the Flask app."""
    return _app is not None and next(_app.url_map.iter_rules(), None) is not None


def routes() -> List[str]:
    """Returns the paths that somebody added to the Flask app."""
    return [] if _app is None else sorted({rule.rule for rule in _app.url_map.iter_rules()})


def has_route(path: str) -> bool:
    """Tells whether somebody added a route for a path to the Flask app."""
    return _app is not None and bool(_app.url_map.bind("").allowed_methods(path))


class FlaskRequest:
    """A context in which `flask.request` is the request, for whoever has imported Flask or does so while it lasts."""

    def __init__(self, environ: Optional[Dict[str, Any]], method: str, path: str, body: bytes) -> None:
        self._environ = environ
        self._request = (method, path, body)
        self._context: Any = None

    def __enter__(self) -> None:
        if "flask" in sys.modules:
            self.push()
        else:
            _current.set(self)

    def __exit__(self, *exception: Any) -> None:
        if self._context is not None:
            self._context.__exit__(*exception)
        else:
            _current.set(None)

    def push(self) -> None:
        """Makes it the request that Flask knows."""
        environ = make_environ(*self._request) if self._environ is None else self._environ
        self._context = flask_app().request_context(environ)
        self._context.__enter__()


class _ImportOfFlask(MetaPathFinder):
    """Gives Flask the request when a model imports Flask in the middle of it, as functions that are called late do."""

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


_current: "contextvars.ContextVar[Optional[FlaskRequest]]" = contextvars.ContextVar("flask_request", default=None)

if "flask" not in sys.modules:
    sys.meta_path.insert(0, _ImportOfFlask())

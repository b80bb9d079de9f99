"""Flask for models that want it: `flask.request` while they run, and routes of their own."""

from __future__ import annotations

import contextlib
import sys
from threading import Lock
from typing import Any, ContextManager, Dict, Optional

from ._http import make_environ

_app: Any = None
_lock = Lock()


def flask_app() -> Any:
    """Returns the Flask app behind ours, made at the first use. Needs Flask."""
    global _app
    with _lock:
        if _app is None:
            from flask import Flask

            _app = Flask("label_studio_ml")
        return _app


def flask_request(
    environ: Optional[Dict[str, Any]], method: str, path: str, body: bytes
) -> ContextManager[Any]:
    """Returns a context in which `flask.request` is the request.

    Who reads it has imported Flask; without that, there is nothing to do.
    """
    if "flask" not in sys.modules:
        return contextlib.nullcontext()
    return flask_app().request_context(environ if environ is not None else make_environ(method, path, body))

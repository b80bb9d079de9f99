"""The WSGI app around a model class. The model runs in the calling process."""

from __future__ import annotations

import base64
import binascii
import hmac
import logging
from typing import Any, Callable, Dict, Iterable, Optional, Tuple, Type

from . import _calls
from ._flask import flask_app, has_route, has_routes, routes
from ._http import CURRENT, HttpError, Request, Response
from ._instances import INSTANCES
from ._test_client import TestClient
from .model import LabelStudioMLBase

logger = logging.getLogger(__name__)

METHODS = {path: set(methods) for path, methods in _calls.ROUTES.items()}
METHODS["/metrics"] = {"GET"}


class App:
    """A WSGI app that answers Label Studio with a model.

    What it lacks of a Flask app, it takes from one: `app.route(...)` adds a route to a Flask app behind this one.
    """

    def __init__(self, model_class: Type[LabelStudioMLBase]) -> None:
        self.model_class = model_class
        self.basic_auth: Optional[Tuple[str, str]] = None
        self.config: Dict[str, Any] = {"DEBUG": False, "TESTING": False}
        self.wsgi_app: Callable[..., Iterable[bytes]] = self._serve

    def __call__(self, environ: Dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        return self.wsgi_app(environ, start_response)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return getattr(flask_app(), name)
        except ImportError as error:
            raise AttributeError(f"{name} needs Flask: pip install flask") from error

    @property
    def testing(self) -> bool:
        """Whether exceptions reach the test that caused them."""
        return bool(self.config.get("TESTING"))

    @testing.setter
    def testing(self, testing: bool) -> None:
        self.config["TESTING"] = testing

    @property
    def debug(self) -> bool:
        """Whether answers tell where in the code a failure was."""
        return bool(self.config.get("DEBUG"))

    @debug.setter
    def debug(self, debug: bool) -> None:
        self.config["DEBUG"] = debug

    def test_client(self, **_: Any) -> TestClient:
        """Returns a client that calls the app without a socket. It meets no model objects of earlier tests."""
        INSTANCES.forget()
        return TestClient(self)

    def run(
        self, host: Optional[str] = None, port: Optional[int] = None, debug: Optional[bool] = None, **_: Any
    ) -> None:
        """Serves the app from this process until it is interrupted."""
        from ._serve import serve

        if debug is not None:
            self.debug = debug
        serve(self, host or "127.0.0.1", 9090 if port is None else port)

    def is_extended(self) -> bool:
        """Tells whether the app has more than what every app has: routes of its own, or something around it."""
        return self.wsgi_app != self._serve or has_routes()

    def warn_of_extensions(self, logger: logging.Logger) -> None:
        """Says what of the app the Rust server leaves out, if anything."""
        added = routes()
        if added:
            logger.warning(
                "paths that the app adds are not served here and answer 404: %s; for them serve the app with gunicorn's "
                "own worker class, as in gunicorn --preload --threads 8 _wsgi:app",
                ", ".join(added),
            )
        if self.wsgi_app != self._serve:
            logger.warning("what is put around app.wsgi_app is left out here; gunicorn's own worker class runs it")

    def _serve(self, environ: Dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ)
        try:
            self._check_auth(request)
            request.read_body()
            if request.path not in METHODS and has_route(request.path):
                return flask_app().wsgi_app(environ, start_response)
            response = self._respond(request)
        except HttpError as error:
            status, body = _calls.failure(error.status, error.detail, request.id)
            response = Response(body, status, error.headers)
        logger.debug("%s %s %r: %s %r", request.method, request.path, request.body, response.status, response.data)
        start_response(response.status, response.headers)
        return [b"" if request.method == "HEAD" else response.data]

    def _respond(self, request: Request) -> Response:
        methods = METHODS.get(request.path)
        if methods is None:
            raise HttpError(404, f"there is no {request.path}")
        allowed = [("Allow", ", ".join(sorted({*methods, "OPTIONS", *(["HEAD"] if "GET" in methods else [])})))]
        if request.method == "OPTIONS":
            return Response(b"", 200, allowed)
        method = "GET" if request.method == "HEAD" else request.method
        if method not in methods:
            raise HttpError(405, f"{request.path} does not take {request.method}", allowed)
        if request.path == "/metrics":
            return Response.of_json({})
        if method == "POST":
            request.check_is_json()
        token = CURRENT.set(request)
        try:
            status, body = _calls.handle(
                self.model_class,
                method,
                request.path,
                request.body,
                environ=request.environ,
                request_id=request.id,
                propagate=self.testing,
                debug=self.debug or self.testing,
            )
        finally:
            CURRENT.reset(token)
        return Response(body, status)

    def _check_auth(self, request: Request) -> None:
        if self.basic_auth is None:
            return
        scheme, _, encoded = request.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        try:
            given = base64.b64decode(encoded) if scheme.lower() == "basic" else b""
        except binascii.Error:
            given = b""
        if not hmac.compare_digest(given, ":".join(self.basic_auth).encode()):
            raise HttpError(401, "Unauthorized", [("WWW-Authenticate", 'Basic realm="Login required"')])

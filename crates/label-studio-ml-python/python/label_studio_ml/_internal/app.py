"""The WSGI app of a model class. The model runs in the calling process."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hmac
import io
import logging
import sys
from collections.abc import Iterable
from typing import Any, Callable

from ..model import LabelStudioMLBase
from . import calls, flask_bridge
from .env_files import load_env_files
from .flask_bridge import flask_app
from .http import ADMITTED, CURRENT, HttpError, Request, Response
from .instances import INSTANCES
from .test_client import TestClient

logger = logging.getLogger(__name__)

METHODS = {path: set(methods) for path, methods in calls.ROUTES.items()}
METHODS["/metrics"] = {"GET"}
ONLY_NATIVE = {"/openapi.json": {"GET"}, "/ready": {"GET"}, "/versions": {"GET"}}
"""Further routes of the Rust server."""

_ATTRIBUTES = {"basic_auth", "debug", "model_class", "testing", "wsgi_app"}


class App:
    """A WSGI app that answers Label Studio with a model.

    Attributes of Flask apps are those of a Flask app behind this one, such as `app.route(...)`,
    which adds a route to it.
    """

    def __init__(self, model_class: type[LabelStudioMLBase]) -> None:
        self.model_class = model_class
        self.basic_auth: tuple[str, str] | None = None
        self.wsgi_app: Callable[..., Iterable[bytes]] = self._serve

    @property  # type: ignore[misc]  # as `object` declares it writable
    def __class__(self) -> Any:
        """Flask's class once Flask is imported, for its command, such as `flask --app _wsgi:app
        run`.
        """
        flask: Any = sys.modules.get("flask")
        return getattr(flask, "Flask", App)

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        return self.wsgi_app(environ, start_response)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return getattr(flask_app(), name)
        except ImportError as error:
            raise AttributeError(f"{name} needs Flask: pip install flask") from error

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in _ATTRIBUTES and not name.startswith("_"):
            # Such as `secret_key`, which the views of the app need; without Flask there are none.
            with contextlib.suppress(ImportError):
                setattr(flask_app(), name, value)
                return
        object.__setattr__(self, name, value)

    @property
    def config(self) -> dict[str, Any]:
        """The settings: those of the Flask app once it exists."""
        app = flask_bridge.existing_app()
        return flask_bridge.config if app is None else app.config

    @property
    def testing(self) -> bool:
        """Whether exceptions reach the test that caused them."""
        return bool(self.config.get("TESTING"))

    @testing.setter
    def testing(self, testing: bool) -> None:
        self.config["TESTING"] = testing

    @property
    def debug(self) -> bool:
        """Whether error answers include the traceback."""
        return bool(self.config.get("DEBUG"))

    @debug.setter
    def debug(self, debug: bool) -> None:
        self.config["DEBUG"] = debug

    def test_client(self, **_: Any) -> TestClient:
        """Returns a client that calls the app without a socket. Model objects of earlier tests are
        dropped.
        """
        INSTANCES.forget()
        return TestClient(self)

    def run(
        self, host: str | None = None, port: int | None = None, debug: bool | None = None, **_: Any
    ) -> None:
        """Serves the app from this process until it is interrupted."""
        # Only here, since it takes a while to import.
        from . import serving

        load_env_files()
        if debug is not None:
            self.debug = debug
        host, port = host or "127.0.0.1", 9090 if port is None else port
        if self.debug or self.is_extended():
            # Only WSGI has the traceback in the answer, and what is around the app.
            serving.serve_wsgi(self, host, port)
        else:
            serving.serve_natively(self.model_class, self.basic_auth, host, port)

    def view(self, path: str) -> Response:
        """Answers `flask.request` as a request to `path`, for custom routes."""
        from flask import request as flask_request

        # Flask has read the body already.
        body = io.BytesIO(flask_request.get_data())
        request = Request({**flask_request.environ, "PATH_INFO": path, "wsgi.input": body})
        request.read_body()
        return self._answer(request)

    def check_auth(self, environ: dict[str, Any]) -> Response | None:
        """Returns the answer to a request without valid credentials, or None."""
        request = Request(environ)
        try:
            self._check_auth(request)
        except HttpError as error:
            return _refusal(request, error)
        return None

    def is_extended(self) -> bool:
        """Returns whether routes, hooks or middleware were added to the app."""
        return self.wsgi_app != self._serve or flask_bridge.is_extended()

    def has_custom_route(self, environ: dict[str, Any]) -> bool:
        """Returns whether a request is for a custom route, or goes through middleware."""
        return self.wsgi_app != self._serve or self._is_for_flask(Request(environ))

    def own_routes(self) -> list[str]:
        """Returns routes such as `GET /live` that the app answers although the Rust server has such
        ones for operators; a pattern counts by what is before it, as in `GET /jobs/*`.
        """
        own: set[str] = set()
        for rule in flask_bridge.rules():
            start, _, is_pattern = rule.rule.partition("<")
            if rule.rule in (METHODS.keys() - {"/"}) | ONLY_NATIVE.keys() or (
                is_pattern and start == "/"
            ):
                continue
            path = f"{start}*" if is_pattern else rule.rule
            own.update(f"{method} {path}" for method in rule.methods or ())
        return sorted(own)

    def log_extensions(self, logger: logging.Logger) -> None:
        """Logs how the Rust server treats routes, hooks and middleware of the app, if there are
        any.
        """
        ours = {**METHODS, **ONLY_NATIVE}
        rules = flask_bridge.rules()
        hidden = sorted(
            {rule.rule for rule in rules if ours.get(rule.rule, set()) & (rule.methods or set())}
            - {"/"}
        )
        served = sorted({rule.rule for rule in rules} - set(hidden))
        if served:
            logger.info("custom routes, answered by the model's process: %s", ", ".join(served))
        if hidden:
            logger.warning(
                "the server answers these routes itself and never calls the app for them: %s",
                ", ".join(hidden),
            )
        if self.wsgi_app != self._serve or flask_bridge.has_hooks():
            warn_of_middleware(logger)

    def _is_for_flask(self, request: Request) -> bool:
        if self._is_for_own_page(request):
            return True
        methods = METHODS.get(request.path)
        if methods is not None and request.method in {
            *methods,
            "OPTIONS",
            *(["HEAD"] if "GET" in methods else []),
        }:
            return False
        return flask_bridge.answers(request.environ, methods is not None)

    def _is_for_own_page(self, request: Request) -> bool:
        """Returns whether a browser asks for `/`, where programs get the health check."""
        return (
            request.path == "/"
            and request.method in ("GET", "HEAD")
            and "text/html" in request.environ.get("HTTP_ACCEPT", "")
            and any(rule.rule == "/" for rule in flask_bridge.rules())
        )

    def _serve(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        request = Request(environ)
        try:
            self._check_auth(request)
            request.read_body()
        except HttpError as error:
            response = _refusal(request, error)
        else:
            if self._is_for_flask(request):
                chunks: Iterable[bytes] = flask_app().wsgi_app(environ, start_response)
                return chunks
            if flask_bridge.has_hooks():
                answered: Callable[..., Iterable[bytes]] = flask_bridge.with_hooks(
                    environ, lambda: self._answer(request)
                )
                return answered(environ, start_response)
            response = self._answer(request)
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        try:
            response = self._respond(request)
        except HttpError as error:
            response = _refusal(request, error)
        logger.debug(
            "%s %s %r: %s %r",
            request.method,
            request.path,
            request.body,
            response.status,
            response.data,
        )
        return response

    def _respond(self, request: Request) -> Response:
        methods = METHODS.get(request.path)
        if methods is None:
            raise HttpError(404, f"there is no {request.path}")
        allowed = [
            (
                "Allow",
                ", ".join(sorted({*methods, "OPTIONS", *(["HEAD"] if "GET" in methods else [])})),
            )
        ]
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
            status, body = calls.handle(
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
        if self.basic_auth is None or ADMITTED in request.environ:
            return
        scheme, _, encoded = request.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        try:
            given = base64.b64decode(encoded) if scheme.lower() == "basic" else b""
        except binascii.Error:
            given = b""
        if not hmac.compare_digest(given, ":".join(self.basic_auth).encode()):
            raise HttpError(
                401, "Unauthorized", [("WWW-Authenticate", 'Basic realm="Login required"')]
            )


def _refusal(request: Request, error: HttpError) -> Response:
    status, body = calls.failure(error.status, error.detail, request.id)
    return Response(body, status, error.headers)


def warn_of_middleware(logger: logging.Logger) -> None:
    """Warns that requests to the server's own routes do not pass through middleware and hooks of
    the app.
    """
    logger.warning(
        "middleware and before/after-request hooks of the app run for custom routes only, not for "
        "%s, which the server answers itself; where they must run for all of them, such as to "
        "check a password, serve the app with gunicorn's own worker class, as in "
        "gunicorn --preload --threads 8 _wsgi:app",
        ", ".join(sorted(METHODS)),
    )

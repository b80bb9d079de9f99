"""Custom routes of the app behind the Rust server: turns a forwarded request into a WSGI call."""

from __future__ import annotations

import io
import json
import logging
import struct
import sys
import time
from collections.abc import Iterable
from typing import Any, Callable
from urllib.parse import unquote_to_bytes

from . import calls
from .app import App
from .http import ADMITTED, JSON, MAX_BODY_BYTES

logger = logging.getLogger(__name__)

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Headers = list[tuple[str, str]]

UNKNOWN = 0
"""The status for a path that is no custom route; the server then answers itself."""

_LENGTH = struct.Struct(">I")
# The body's length is counted here; `Proxy` would become HTTP_PROXY.
_LEFT_OUT = {"content-length", "transfer-encoding", "proxy"}
# Part of the deadline after which an answer is given up, so that the error is still sent in time.
_SHARE_OF_TIME = 0.9


def has_custom_routes(app: Wsgi) -> bool:
    """Returns whether an app may have custom routes."""
    return app.is_extended() if isinstance(app, App) else True


def own_routes(app: Wsgi) -> list[str]:
    """Returns the routes that the app answers although the Rust server has such ones."""
    return app.own_routes() if isinstance(app, App) else []


def answer(app: Wsgi, head: str, body: bytes, request_id: str) -> tuple[int, bytes]:
    """Answers a request, whatever the app raises, with a status and a frame of headers and body."""
    try:
        request = json.loads(head)
        environ = _environ(request, body, request_id)
        if isinstance(app, App) and not app.has_custom_route(environ):
            return UNKNOWN, b""
        status, headers, pieces = _ask(app, environ, request["seconds"])
    except BaseException as error:
        # Such as SystemExit; the thread must continue.
        logger.error("a custom route failed; request %s", request_id, exc_info=True)
        status, text = calls.failure(500, f"{type(error).__name__}: {error}", request_id)
        headers, pieces = [("Content-Type", JSON)], [text]
    encoded = json.dumps(headers).encode()
    return status, b"".join([_LENGTH.pack(len(encoded)), encoded, *pieces])


def answer_frame(app: Wsgi, frame: bytes, request_id: str) -> tuple[int, bytes]:
    """Like `answer`, for one frame: the head's length, the head, the body."""
    (length,) = _LENGTH.unpack_from(frame)
    body = _LENGTH.size + length
    return answer(app, frame[_LENGTH.size : body].decode(), frame[body:], request_id)


def _ask(
    app: Wsgi, environ: dict[str, Any], seconds: float | None
) -> tuple[int, Headers, list[bytes]]:
    until = None if seconds is None else time.monotonic() + seconds * _SHARE_OF_TIME
    started: list[tuple[str, Headers]] = []
    pieces: list[bytes] = []
    n_bytes = 0

    def start_response(
        status: str, headers: Headers, exc_info: Any = None
    ) -> Callable[[bytes], None]:
        if started and exc_info is None:
            raise AssertionError("the app began to answer twice")
        # Nothing has been sent yet, so an error can still replace the answer.
        started[:] = [(status, headers)]
        return keep

    def keep(piece: bytes) -> None:
        nonlocal n_bytes
        n_bytes += len(piece)
        if n_bytes > MAX_BODY_BYTES:
            raise ValueError(
                f"the answer has more than {MAX_BODY_BYTES >> 20} MB; "
                "MAX_BODY_MB allows larger ones"
            )
        if until is not None and time.monotonic() > until:
            raise TimeoutError(
                f"the answer did not end within {seconds:.0f} s; "
                "PREDICT_DEADLINE allows longer ones"
            )
        pieces.append(piece)

    answered = app(environ, start_response)
    try:
        for piece in answered:
            keep(piece)
    finally:
        close = getattr(answered, "close", None)
        if close is not None:
            close()
    if not started:
        raise AssertionError("the app answered without a status")
    ((status, headers),) = started
    if environ["REQUEST_METHOD"] == "HEAD":
        pieces = []
    return int(status.split(" ", 1)[0]), headers, pieces


def _environ(request: dict[str, Any], body: bytes, request_id: str) -> dict[str, Any]:
    path, _, query = request["target"].partition("?")
    headers = request["headers"]
    environ: dict[str, Any] = {}
    if body or any(name == "content-length" for name, _ in headers):
        environ["CONTENT_LENGTH"] = str(len(body))
    for name, value in headers:
        if name in _LEFT_OUT or "_" in name:
            continue
        key = name.upper().replace("-", "_")
        key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
        separator = "; " if name == "cookie" else ","
        environ[key] = f"{environ[key]}{separator}{value}" if key in environ else value
    client, server = request["client"] or ("", ""), request["server"] or ("", "")
    environ.setdefault("HTTP_X_REQUEST_ID", request_id)
    environ.update(
        {
            "REQUEST_METHOD": request["method"],
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query.encode().decode("latin-1"),
            "REQUEST_URI": request["target"].encode().decode("latin-1"),
            "SERVER_NAME": server[0] or "localhost",
            "SERVER_PORT": str(server[1] or 80),
            "SERVER_PROTOCOL": request["version"],
            "REMOTE_ADDR": client[0],
            "REMOTE_PORT": str(client[1]),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": _scheme(environ, client[0]),
            "wsgi.input": io.BytesIO(body),
            "wsgi.input_terminated": True,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
            ADMITTED: True,
        }
    )
    return environ


def _scheme(environ: dict[str, Any], client: str) -> str:
    # Only a proxy on this machine is trusted, as in gunicorn.
    is_near = client in ("", "127.0.0.1", "::1")
    return "https" if is_near and environ.get("HTTP_X_FORWARDED_PROTO") == "https" else "http"

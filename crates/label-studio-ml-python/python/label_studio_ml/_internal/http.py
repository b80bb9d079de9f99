"""Requests and responses of the app, without a web framework."""

from __future__ import annotations

import contextvars
import io
import os
import sys
import uuid
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, BinaryIO, Callable
from urllib.parse import parse_qsl, unquote

from . import encoding

JSON = "application/json"
MAX_ID = 128
ADMITTED = "label_studio_ml.admitted"
"""Marks a request whose credentials the server has checked."""
MAX_BODY_BYTES = int(os.environ.get("MAX_BODY_MB") or 256) << 20


class HttpError(Exception):
    """Ends a request with an error status and a reason."""

    def __init__(self, status: int, detail: str, headers: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = list(headers)


class Request:
    """A request from a WSGI server."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self.environ = environ
        self.method: str = environ["REQUEST_METHOD"]
        self.path: str = environ.get("PATH_INFO") or "/"
        self.id: str = environ.get("HTTP_X_REQUEST_ID", "")[:MAX_ID] or uuid.uuid4().hex
        self.body = b""

    def read_body(self) -> None:
        """Reads the body, unless it is too large."""
        self.body = _read_body(self.environ)
        # Later readers, such as a Flask context, start at the beginning.
        self.environ["wsgi.input"] = io.BytesIO(self.body)
        if self.body or "CONTENT_LENGTH" in self.environ:
            self.environ["CONTENT_LENGTH"] = str(len(self.body))

    @property
    def args(self) -> dict[str, str]:
        """The first value of each query parameter."""
        pairs = parse_qsl(self.environ.get("QUERY_STRING", ""), keep_blank_values=True)
        return dict(reversed(pairs))

    def check_is_json(self) -> None:
        """Rejects a body with another content type."""
        media_type = self.environ.get("CONTENT_TYPE", "").split(";")[0].strip().lower()
        if media_type != JSON and not media_type.endswith("+json"):
            raise HttpError(415, f"the body is {media_type!r}; send JSON with Content-Type: {JSON}")


class Response:
    """A response. It is a WSGI app, so that a Flask view can return it."""

    def __init__(
        self,
        data: bytes,
        status: int = 200,
        headers: Iterable[tuple[str, str]] = (),
        content_type: str = JSON,
    ) -> None:
        self.data = data
        self.status_code = status
        self.headers: list[tuple[str, str]] = [
            ("Content-Type", content_type),
            ("Content-Length", str(len(data))),
            *headers,
        ]

    @classmethod
    def of_json(
        cls, value: Any, status: int = 200, headers: Iterable[tuple[str, str]] = ()
    ) -> Response:
        """Creates a JSON response."""
        return cls(encoding.dumps(value), status, headers)

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        start_response(self.status, self.headers)
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else self.data]

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return encoding.loads(self.data)

    def get_json(self) -> Any:
        """Returns the body as JSON."""
        return self.json

    def get_data(self, as_text: bool = False) -> bytes | str:
        """Returns the body."""
        return self.data.decode() if as_text else self.data

    @property
    def status(self) -> str:
        """The status line, such as `200 OK`."""
        try:
            return f"{self.status_code} {HTTPStatus(self.status_code).phrase}"
        except ValueError:
            return f"{self.status_code} Unknown"


CURRENT: contextvars.ContextVar[Request | None] = contextvars.ContextVar("request", default=None)
"""The request that this thread answers, if it came through WSGI."""


def make_environ(
    method: str,
    path: str,
    body: bytes,
    *,
    content_type: str = JSON,
    query: str = "",
    host: str = "localhost",
    port: int = 80,
    scheme: str = "http",
) -> dict[str, Any]:
    """Returns the WSGI environment of a request that did not come through WSGI."""
    return {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(path),
        "QUERY_STRING": query,
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": host if port == 80 else f"{host}:{port}",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": content_type,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


def _read_body(environ: dict[str, Any]) -> bytes:
    stream: BinaryIO | None = environ.get("wsgi.input")
    if stream is None:
        return b""
    length: str = environ.get("CONTENT_LENGTH") or ""
    if length.isdigit():
        if int(length) > MAX_BODY_BYTES:
            raise HttpError(
                413,
                f"the body has more than {MAX_BODY_BYTES >> 20} MB; MAX_BODY_MB allows larger ones",
            )
        return stream.read(int(length))
    # Only a server that ends the stream itself, for chunked bodies, may be read without a length.
    return stream.read() if environ.get("wsgi.input_terminated") else b""

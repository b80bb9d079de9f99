"""A client that calls an app without a socket, for tests of a model."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import urlencode, urlsplit

from typing_extensions import Self

from . import encoding
from .http import make_environ


class Headers(dict[str, str]):
    """Headers of a response, looked up in any case."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        super().__init__(pairs)
        self._names = {name.lower(): name for name in self}

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(self._names.get(name.lower(), name))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._names

    def get(self, name: str, default: Any = None) -> Any:
        """Returns a header, or `default` if it is missing."""
        return self[name] if name in self else default  # noqa: SIM401  `get` is this function


class TestResponse:
    """The response of the app."""

    __test__ = False

    def __init__(self, status: str, headers: list[tuple[str, str]], data: bytes) -> None:
        self.status = status
        self.status_code = int(status.split(" ", maxsplit=1)[0])
        self.headers = Headers(headers)
        self.data = data

    @property
    def content_type(self) -> str:
        """The type of the body, with its parameters."""
        content_type: str = self.headers.get("Content-Type", "")
        return content_type

    @property
    def mimetype(self) -> str:
        """The type of the body."""
        return self.content_type.split(";")[0].strip().lower()

    @property
    def is_json(self) -> bool:
        """Whether the content type is JSON."""
        return self.mimetype == "application/json" or self.mimetype.endswith("+json")

    @property
    def text(self) -> str:
        """The body as text."""
        return self.data.decode()

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return self.get_json()

    def get_data(self, as_text: bool = False) -> Any:
        """Returns the body."""
        return self.text if as_text else self.data

    def get_json(self, force: bool = False, silent: bool = False, **_: Any) -> Any:
        """Returns the body as JSON, or None for another content type."""
        if not force and not self.is_json:
            return None
        try:
            return encoding.loads(self.data)
        except ValueError:
            if silent:
                return None
            raise


class TestClient:
    """Calls an app without a socket. The model runs in the test's process, where tests can patch
    it.
    """

    __test__ = False

    def __init__(self, app: Any) -> None:
        self.application = app

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        """Sends a GET request."""
        return self.open(path, method="GET", **kwargs)

    def post(self, path: str, **kwargs: Any) -> TestResponse:
        """Sends a POST request; `json` is a value, `data` text or bytes."""
        return self.open(path, method="POST", **kwargs)

    def put(self, path: str, **kwargs: Any) -> TestResponse:
        """Sends a PUT request."""
        return self.open(path, method="PUT", **kwargs)

    def patch(self, path: str, **kwargs: Any) -> TestResponse:
        """Sends a PATCH request."""
        return self.open(path, method="PATCH", **kwargs)

    def delete(self, path: str, **kwargs: Any) -> TestResponse:
        """Sends a DELETE request."""
        return self.open(path, method="DELETE", **kwargs)

    def head(self, path: str, **kwargs: Any) -> TestResponse:
        """Sends a HEAD request."""
        return self.open(path, method="HEAD", **kwargs)

    def options(self, path: str, **kwargs: Any) -> TestResponse:
        """Sends an OPTIONS request."""
        return self.open(path, method="OPTIONS", **kwargs)

    def open(
        self,
        path: str,
        *,
        method: str = "GET",
        json: Any = None,
        data: Any = b"",
        content_type: str | None = None,
        headers: Any = None,
        query_string: Any = None,
        auth: tuple[str, str] | None = None,
        **_: Any,
    ) -> TestResponse:
        """Sends any request."""
        if json is not None:
            data, content_type = encoding.dumps(json), content_type or "application/json"
        elif isinstance(data, dict):
            data, content_type = (
                urlencode(data),
                content_type or "application/x-www-form-urlencoded",
            )
        body = data.encode() if isinstance(data, str) else bytes(data or b"")
        url = urlsplit(path)
        query = (
            urlencode(query_string) if isinstance(query_string, dict) else query_string or url.query
        )
        environ = make_environ(
            method,
            url.path,
            body,
            content_type=content_type or "",
            query=query,
            host=url.hostname or "localhost",
            port=url.port or 80,
            scheme=url.scheme or "http",
        )
        if auth is not None:
            encoded = base64.b64encode(":".join(auth).encode()).decode()
            environ["HTTP_AUTHORIZATION"] = f"Basic {encoded}"
        for name, value in dict(headers or {}).items():
            key = name.upper().replace("-", "_")
            environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
        return self._call(environ)

    def _call(self, environ: dict[str, Any]) -> TestResponse:
        answer: dict[str, Any] = {}

        def start_response(
            status: str, headers: list[tuple[str, str]], _exc_info: Any = None
        ) -> None:
            answer.update(status=status, headers=headers)

        chunks = self.application(environ, start_response)
        try:
            data = b"".join(chunks)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        return TestResponse(answer["status"], answer["headers"], data)

"""A proxy between Label Studio and a backend that remembers what went over the wire."""

import base64
import json
import threading
import urllib.parse
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from typing_extensions import Self

from e2e.process import wait_until

HOP_HEADERS = {"connection", "content-length", "host", "keep-alive", "transfer-encoding"}


@dataclass
class Exchange:
    """One request and its answer; bodies are decoded JSON or None, and `size` is that of the
    request.
    """

    method: str
    path: str
    size: int
    request: Any
    status: int
    response: Any

    @property
    def action(self) -> str | None:
        """The event a webhook call reports."""
        return self.request.get("action") if isinstance(self.request, dict) else None


class Recorder:
    """Listens on a free port and passes every request on to `target`; use it in a `with` block.

    With a `prefix`, such as `/yolo`, it is a reverse proxy that serves the target below that path.
    """

    def __init__(self, target: str, prefix: str = "") -> None:
        self.exchanges: list[Exchange] = []
        address = urllib.parse.urlsplit(target)
        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.target = (address.hostname or "", address.port or 80)
        self._server.prefix = prefix
        self._server.exchanges = self.exchanges
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}{prefix}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def mark(self) -> int:
        """How many exchanges there were so far, to be given to `since` and `webhook`."""
        return len(self.exchanges)

    def since(self, mark: int, path: str) -> list[Exchange]:
        """The exchanges on a route after a mark."""
        return [exchange for exchange in self.exchanges[mark:] if exchange.path == path]

    def webhook(self, mark: int, action: str, seconds: float = 20) -> Exchange:
        """The first webhook call with this action after a mark, waited for."""

        def find() -> list[Exchange]:
            return [
                exchange for exchange in self.since(mark, "/webhook") if exchange.action == action
            ]

        return wait_until(find, seconds, f"the backend is sent {action}")[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class Server(ThreadingHTTPServer):
    """The listening half; a caller that hangs up is no error."""

    daemon_threads = True
    target: tuple[str, int]
    prefix: str
    exchanges: list[Exchange]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Label Studio hangs up on webhooks after a second."""


class Handler(BaseHTTPRequestHandler):
    """Passes one request on, on its own connection."""

    server: Server

    def do_GET(self) -> None:
        if not self.path.startswith(self.server.prefix + "/"):
            self.send_error(404)
            return
        self.path = self.path[len(self.server.prefix) :]
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {
            name: value for name, value in self.headers.items() if name.lower() not in HOP_HEADERS
        }
        headers["X-Forwarded-Host"] = self.headers["Host"]
        connection = HTTPConnection(*self.server.target, timeout=150)
        try:
            connection.request(self.command, self.path, body or None, headers)
            answer = connection.getresponse()
            status, reason = answer.status, answer.reason
            answer_headers, answer_body = answer.getheaders(), answer.read()
        except (OSError, HTTPException) as error:
            status, reason, answer_headers, answer_body = 502, "", [], str(error).encode()
        finally:
            connection.close()
        path = urllib.parse.urlsplit(self.path).path
        exchange = Exchange(
            self.command, path, len(body), decoded(body), status, decoded(answer_body)
        )
        self.server.exchanges.append(exchange)
        self.send_response(status, reason)
        for name, value in answer_headers:
            if name.lower() not in HOP_HEADERS:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer_body)))
        self.end_headers()
        self.wfile.write(answer_body)

    do_POST = do_DELETE = do_GET

    def log_message(self, *_: object) -> None:
        """Keeps the output to one line per step."""


def decoded(body: bytes) -> Any:
    """The JSON of a body, or None."""
    try:
        return json.loads(body)
    except ValueError:
        return None


def basic(auth: tuple[str, str]) -> str:
    """The `Authorization` header for basic authentication."""
    return "Basic " + base64.b64encode(":".join(auth).encode()).decode()

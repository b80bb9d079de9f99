"""A mock of a service that a backend calls.

`examples/*/e2e/mock_service.py` say what a service answers. A scenario starts them with
`of_example`; each is also a program that starts its service and then a backend with the service's
address in its environment.
"""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from typing_extensions import Self

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Request:
    """What the backend asked; names of headers are in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode(errors="replace")


@dataclass(frozen=True)
class Reply:
    """What the service answers: bytes as they are, anything else as JSON."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    def encoded(self) -> tuple[bytes, str]:
        """The bytes to send and what they are."""
        if isinstance(self.body, bytes):
            return self.body, "application/octet-stream"
        return json.dumps(self.body).encode(), "application/json"


Answer = Callable[[Request], Reply]
Environment = Callable[[str], dict[str, str]]


class MockService:
    """Serves `answer` on a free port; use it in a `with` block. `requests` are those so far."""

    def __init__(self, answer: Answer, environment: Environment) -> None:
        """Starts to listen."""
        self.requests: list[Request] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler(answer, self.requests))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.environment = environment(self.url)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def at(self, path: str) -> list[Request]:
        """The requests for one path so far."""
        return [request for request in self.requests if request.path == path]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def handler(answer: Answer, requests: list[Request]) -> type[BaseHTTPRequestHandler]:
    """A handler that answers every method and remembers the requests."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def handle_any(self) -> None:
            address = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(address.query).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", 0)))
            request = Request(self.command, address.path, query, headers, body)
            requests.append(request)
            reply = answer(request)
            content, kind = reply.encoded()
            self.send_response(reply.status)
            for name, value in {
                "Content-Type": kind,
                **reply.headers,
                "Content-Length": str(len(content)),
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = handle_any

    return Handler


def of_example(name: str) -> MockService:
    """Starts the service of `examples/<name>`."""
    file = ROOT / "examples" / name / "e2e" / "mock_service.py"
    spec = importlib.util.spec_from_file_location(f"{name}_mock_service", file)
    assert spec and spec.loader, f"{file} is a Python file"
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return MockService(module.answer, module.environment)


def run(answer: Answer, environment: Environment) -> None:
    """Starts a service, then the program that the command line names, and ends with it."""
    with MockService(answer, environment) as service:
        backend = subprocess.Popen(sys.argv[1:], env={**os.environ, **service.environment})
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: backend.terminate())
        code = backend.wait()
    sys.exit(code)

"""A stand-in for a service that a backend calls: starts it, then runs the backend's command with its address in the environment.

Used by the scripts `examples/*/e2e/stand_in.py`; each brings what its service answers.
"""
import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass
class Request:
    method: str
    path: str
    query: dict
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


@dataclass
class Reply:
    body: object = None
    status: int = 200
    headers: dict = field(default_factory=dict)

    def encoded(self):
        if isinstance(self.body, bytes):
            return self.body, "application/octet-stream"
        return json.dumps(self.body).encode(), "application/json"


def run(answer, environment):
    """Serves `answer(request) -> Reply` and runs the command of the command line until either ends.

    `environment(url)` are the variables for the command. With STAND_IN_LOG set, every request is appended to that file.
    """
    log = os.environ.get("STAND_IN_LOG")
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args):
            pass

        def handle_any(self):
            address = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            query = {name: values[-1] for name, values in parse_qs(address.query).items()}
            request = Request(self.command, address.path, query, dict(self.headers), body)
            if log:
                with lock, open(log, "a") as file:
                    print(request.method, self.path, body[:300].decode(errors="replace"), file=file)
            reply = answer(request)
            data, kind = reply.encoded()
            self.send_response(reply.status)
            for name, value in {"Content-Type": kind, **reply.headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = "http://127.0.0.1:%d" % server.server_port
    backend = subprocess.Popen(sys.argv[1:], env={**os.environ, **environment(url)})
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: backend.terminate())
    sys.exit(backend.wait())

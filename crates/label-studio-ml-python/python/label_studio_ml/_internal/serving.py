"""Serves an app in its own process, for `app.run()`; `label-studio-ml start` is for production."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from socketserver import ThreadingMixIn
from typing import Any, Callable
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from ..model import LabelStudioMLBase
from . import calls, jobs
from ._native import Job, Server
from .served_app import ServedApp

logger = logging.getLogger(__name__)


def serve_wsgi(app: Callable[..., Any], host: str, port: int) -> None:
    """Serves a WSGI app until it is interrupted, a thread for each request."""
    with make_server(host, port, app, server_class=_Server, handler_class=_Handler) as server:
        logger.info("listening on http://%s:%d", *server.server_address[:2])
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            logger.info("interrupted")


def serve_natively(
    model_class: type[LabelStudioMLBase], basic_auth: tuple[str, str] | None, host: str, port: int
) -> None:
    """Serves a model with the Rust server, in this process, until it is interrupted."""

    def answer(path: str, body: bytes, request_id: str, job: Job | None) -> tuple[int, bytes]:
        return calls.answer(model_class, path, body, request_id, job)

    calls.warm_up()
    jobs.log_what_is_printed()
    n_threads = int(os.environ.get("THREADS") or 8)
    server = Server(
        ServedApp(
            answer=answer,
            custom=None,
            model_class=model_class.__name__,
            threads=n_threads,
            basic_auth=basic_auth,
            own_routes=[],
        )
    )
    with socket.create_server((host, port), family=_family(host), backlog=1024) as listener:  # noqa: SIM117
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(server.path))
            socket.send_fds(connection, [b"s"], [listener.fileno()])
            serving = threading.Thread(target=server.serve, args=(1,), name="server", daemon=True)
            serving.start()
            logger.info("listening on http://%s:%d", *listener.getsockname()[:2])
            _wait_for(serving)
            server.stop()
            serving.join()


def _wait_for(serving: threading.Thread) -> None:
    if threading.current_thread() is threading.main_thread():
        interrupt = signal.getsignal(signal.SIGINT)
        # A shell starts background jobs with SIGINT ignored; SIGTERM must still end them.
        signal.signal(
            signal.SIGTERM, interrupt if callable(interrupt) else signal.default_int_handler
        )
    try:
        serving.join()
    except KeyboardInterrupt:
        logger.info("interrupted")


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 128


class _Handler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        logger.info(format, *args)

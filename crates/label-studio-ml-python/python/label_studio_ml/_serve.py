"""A small threaded WSGI server, for `app.run()`. `label-studio-ml start` is the server for production."""

from __future__ import annotations

import logging
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

if TYPE_CHECKING:
    from ._app import App

logger = logging.getLogger(__name__)


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 128


class _Handler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        logger.info(format, *args)


def make_app_server(app: "App", host: str, port: int) -> WSGIServer:
    """Returns a server that listens; its `serve_forever` answers, a thread for each request."""
    return make_server(host, port, app, server_class=_Server, handler_class=_Handler)


def serve(app: "App", host: str, port: int) -> None:
    """Serves an app until it is interrupted."""
    with make_app_server(app, host, port) as server:
        logger.info("listening on http://%s:%d", *server.server_address[:2])
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            logger.info("interrupted")

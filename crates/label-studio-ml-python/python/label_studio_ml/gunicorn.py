"""A worker class for gunicorn with the Rust server: gunicorn binds, forks and restarts, the Rust
server answers.

    GUNICORN_CMD_ARGS="-k label_studio_ml.gunicorn.Worker" gunicorn ... _wsgi:app

The model runs in gunicorn's worker process, on `--threads` threads. `--timeout` 0 is advised, as
without this class.
"""

from __future__ import annotations

import logging
import os
import select
import socket
import threading

from gunicorn.workers.base import Worker as GunicornWorker

from ._internal import backend, calls, custom_routes, jobs
from ._internal._native import Job, Server
from ._internal.app import App
from ._internal.served_app import ServedApp

logger = logging.getLogger(__name__)

_SECONDS_BETWEEN_HEARTBEATS = 1.0


class Worker(GunicornWorker):  # type: ignore[misc]  # gunicorn has no types
    """Serves an app of `init_app` with the Rust server."""

    def load_wsgi(self) -> None:
        """Loads the app. An app of another type ends gunicorn, as an app that cannot be imported
        does.
        """
        super().load_wsgi()
        if not isinstance(self.wsgi, App):
            raise TypeError(
                f"{type(self).__module__}.{type(self).__name__} serves what init_app() returns, "
                "but the app is a "
                f"{type(self.wsgi).__name__}; serve it with gunicorn's own worker class"
            )
        backend.log_extensions(self.wsgi)

    def run(self) -> None:
        """Serves until gunicorn ends the worker."""
        app = self.wsgi

        def answer(path: str, body: bytes, request_id: str, job: Job | None) -> tuple[int, bytes]:
            return calls.answer(app.model_class, path, body, request_id, job)

        def answer_custom(head: str, body: bytes, request_id: str) -> tuple[int, bytes]:
            return custom_routes.answer(app, head, body, request_id)

        jobs.log_what_is_printed()
        custom = answer_custom if custom_routes.has_custom_routes(app) else None
        server = Server(
            ServedApp(
                answer=answer,
                custom=custom,
                model_class=app.model_class.__name__,
                threads=max(self.cfg.threads, 1),
                basic_auth=app.basic_auth,
                own_routes=app.own_routes(),
            )
        )
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(server.path))
            for listener in self.sockets:
                socket.send_fds(connection, [b"s"], [listener.fileno()])
            serving = threading.Thread(
                target=self._serve, args=(server,), name="server", daemon=True
            )
            serving.start()
            while self.alive and serving.is_alive() and self.ppid == os.getppid():
                self.notify()
                self._wait()
        server.stop()
        serving.join(self.cfg.graceful_timeout)

    def _serve(self, server: Server) -> None:
        try:
            server.serve(len(self.sockets))
        except Exception:
            self.log.exception("the server failed")
        finally:
            self.alive = False

    def _wait(self) -> None:
        # gunicorn writes to the pipe when a signal arrives.
        ready, _, _ = select.select([self.PIPE[0]], [], [], _SECONDS_BETWEEN_HEARTBEATS)
        if ready:
            os.read(self.PIPE[0], 4096)

"""A worker process: runs a model for the Rust server.

It gets the path of a Unix socket. On the first connection, the control connection, it receives the
task to load and reports when that is done; the process ends with this connection. Each further
connection has a thread that answers one call after the other. `src/workers/frame.rs` describes the
frames.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import logging
import os
import signal
import socket
import struct
import sys
import threading
import time
from typing import Any

from . import backend as _backend
from . import calls, custom_routes, fork_server, jobs, watchdog
from .backend import Backend

logger = logging.getLogger(__name__)

ROUTES = {1: "/predict", 2: "/setup", 3: "/webhook"}
TRAINING = 3
CUSTOM = 4
"""A custom route of the app."""
CANCEL = 5
"""No call: the one before is cancelled."""

PROGRESS = 1
LOG = 2
"""Statuses of frames about a job, before its answer."""

_LENGTH = struct.Struct(">I")
_CALL = struct.Struct(">IBQ")
_ANSWER = struct.Struct(">IH")
_PROGRESS = struct.Struct(">d")
_USUAL_CALL = 64 * 1024
_SECONDS_TO_END = 5


def main() -> None:
    """Runs a worker, or with `--fork-server` a fork server.

    With `--check`, it only checks that a model object can be made; the task comes over standard
    input.
    """
    if sys.argv[1:2] == ["--check"]:
        _check(json.load(sys.stdin))
        return
    watchdog.start(os.getppid())
    if sys.argv[1:2] == ["--fork-server"]:
        _run_fork_server(sys.argv[2])
    else:
        _run(sys.argv[1])


def _run(path: str) -> None:
    control = _connect(path)
    task = _read_task(control)
    backend = _load(control, task)
    _serve(path, control, task, backend)


def _run_fork_server(path: str) -> None:
    server = os.getppid()
    control = _connect(path)
    task = _read_task(control)
    backend = _load(control, task)

    def send(message: dict[str, Any]) -> None:
        _send(control, message)

    def receive() -> dict[str, Any] | None:
        order = _receive(control)
        return None if order is None else json.loads(order)

    path_of_worker = fork_server.run(control, backend.model_class, send, receive)
    if path_of_worker is not None:
        watchdog.start(server)
        connection = _connect(path_of_worker)
        _serve(path_of_worker, connection, _read_task(connection), backend)


def _read_task(control: socket.socket) -> dict[str, Any]:
    task: dict[str, Any] = json.loads(_receive(control) or b"{}")
    return task


def _load(control: socket.socket, task: dict[str, Any]) -> Backend:
    """Imports the model. If that fails, the reason is sent to the server and the process ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _start_logging(task["log_level"])
    try:
        backend = _backend.load(task["target"], task["params"], task["basic_auth"])
        calls.warm_up()
    except BaseException as error:
        _log_failure(error)
        _send(control, {"error": _backend.describe(error)})
        sys.exit(1)
    return backend


def _serve(path: str, control: socket.socket, task: dict[str, Any], backend: Backend) -> None:
    """Answers calls until the server ends."""
    has_custom_routes = custom_routes.has_custom_routes(backend.app)
    _send(
        control,
        {
            "model_class": backend.model_class.__name__,
            "has_custom_routes": has_custom_routes,
            "own_routes": custom_routes.own_routes(backend.app),
        },
    )
    for number in range(task["connections"]):
        threading.Thread(
            target=_answer_calls,
            args=(_connect(path), backend),
            name=f"calls-{number}",
            daemon=True,
        ).start()
    while control.recv(1024):
        pass
    threading.Thread(target=_end_soon, daemon=True).start()
    sys.exit(0)


def _check(task: dict[str, Any]) -> None:
    _start_logging(task["log_level"])
    try:
        model_class = _backend.load(task["target"], {}, task["basic_auth"]).model_class
        logger.info("making an object of %s", model_class.__name__)
        model_class(**task["params"])
    except BaseException as error:
        _log_failure(error)
        sys.exit(1)
    logger.info("%s can be loaded", model_class.__name__)


def _log_failure(error: BaseException) -> None:
    # Where no model was found, the traceback would only show this package.
    is_theirs = not isinstance(error, _backend.ModelNotFound)
    logger.critical("the model cannot be loaded: %s", _backend.describe(error), exc_info=is_theirs)


def _answer_calls(connection: socket.socket, backend: Backend) -> None:
    buffer = bytearray(_USUAL_CALL)
    view = memoryview(buffer)
    n_received = 0
    while True:
        while n_received < _CALL.size:
            n_bytes = connection.recv_into(view[n_received:] if n_received else buffer)
            if n_bytes == 0:
                return
            n_received += n_bytes
        length, route, call = _CALL.unpack_from(buffer)
        end = _LENGTH.size + length
        if n_received < end:
            body = _complete(connection, view[_CALL.size : n_received], end - _CALL.size)
            if body is None:
                return
            n_received = 0
        else:
            body = bytes(view[_CALL.size : end])
            n_received -= end
            if n_received:
                # Only a frame that cancels the call may follow it.
                buffer[:n_received] = buffer[end : end + n_received]
        if route == CANCEL:
            # The call has ended meanwhile.
            continue
        request_id = f"{call:016x}"
        if route == CUSTOM:
            status, text = custom_routes.answer_frame(backend.app, body, request_id)
        elif route == TRAINING:
            link = _Link(connection, is_cancelled=n_received > 0)
            status, text = calls.answer(backend.model_class, ROUTES[route], body, request_id, link)
        else:
            status, text = calls.answer(backend.model_class, ROUTES[route], body, request_id)
        head = _ANSWER.pack(len(text) + 2, status)
        if len(text) <= _USUAL_CALL:
            connection.sendall(head + text)
        else:
            connection.sendall(head)
            connection.sendall(text)


class _Link:
    """Takes a job's news to the server, over the connection of its call."""

    def __init__(self, connection: socket.socket, is_cancelled: bool) -> None:
        self._connection = connection
        self._is_cancelled = is_cancelled

    def progress(self, fraction: float, message: str) -> None:
        self._send(PROGRESS, _PROGRESS.pack(fraction) + _encoded(message))

    def log(self, line: str) -> None:
        self._send(LOG, _encoded(line))

    def is_cancelled(self) -> bool:
        if not self._is_cancelled:
            # Nothing but a frame that cancels the call arrives before its answer.
            with contextlib.suppress(BlockingIOError):
                self._connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
                self._is_cancelled = True
        return self._is_cancelled

    def _send(self, status: int, body: bytes) -> None:
        self._connection.sendall(_ANSWER.pack(len(body) + 2, status) + body)


def _encoded(text: str) -> bytes:
    return text.encode(errors="replace")


def _connect(path: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.connect(path)
    return connection


def _receive(connection: socket.socket) -> bytes | None:
    """Receives a frame, or None at the end of the connection."""
    head = _complete(connection, memoryview(b""), _LENGTH.size)
    return head and _complete(connection, memoryview(b""), *_LENGTH.unpack(head))


def _complete(connection: socket.socket, start: memoryview, length: int) -> bytes | None:
    """Receives the rest of `length` bytes that begin with `start`; None at the end of the
    connection.
    """
    if len(start) == length:
        return bytes(start)
    whole = bytearray(length)
    view = memoryview(whole)
    n_received = len(start)
    view[:n_received] = start
    while n_received < length:
        n_bytes = connection.recv_into(view[n_received:])
        if n_bytes == 0:
            return None
        n_received += n_bytes
    return bytes(whole)


def _send(connection: socket.socket, message: dict[str, Any]) -> None:
    text = json.dumps(message).encode()
    connection.sendall(_LENGTH.pack(len(text)) + text)


def _start_logging(level: str) -> None:
    logging.basicConfig(
        level=level,
        format="[%(asctime)s] [%(levelname)s] [%(name)s::%(funcName)s::%(lineno)d] %(message)s",
        stream=sys.stdout,
    )
    jobs.log_what_is_printed()
    # A crash in compiled code prints the Python traceback.
    faulthandler.enable()


def _end_soon() -> None:
    # Threads of the model may delay the exit.
    time.sleep(_SECONDS_TO_END)
    os._exit(0)

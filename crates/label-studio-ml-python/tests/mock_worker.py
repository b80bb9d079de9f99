"""A mock worker: it does what the test tells it, over a separate connection.

usage: mock_worker.py [MODE] SOCKET    MODE: fails (cannot load its model), ends (exits before
that), custom (has custom routes)

A call whose body has "ask" connects to that port, says what process and call it is, and obeys the
answer: `answer`, `exit N`, `segfault`, `abort`, `kill`, `close` or `print`. After `news`, of a job,
and `await-cancel` it asks again. Any other call is answered with the process's number. A call to a custom route is answered as its query says: `exit`,
or else with that text as status and headers, and the request's head and body as body.
"""

from __future__ import annotations

import ctypes
import json
import os
import socket
import struct
import sys
import threading
import urllib.parse
from typing import Any


def receive(connection: socket.socket) -> bytes | None:
    head = connection.recv(4, socket.MSG_WAITALL)
    if len(head) < 4:
        return None
    return connection.recv(struct.unpack(">I", head)[0], socket.MSG_WAITALL)


def send(connection: socket.socket, payload: bytes) -> None:
    connection.sendall(struct.pack(">I", len(payload)) + payload)


def connect(path: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    return connection


def serve(connection: socket.socket) -> None:
    while True:
        frame = receive(connection)
        if frame is None:
            return
        if frame[0] == 4:
            send(connection, custom_answer(frame[9:]))
            continue
        if frame[0] == 5:
            # Cancels a call that has been answered.
            continue
        route, call, body = frame[0], frame[1:9], json.loads(frame[9:])
        status = 200
        answer: dict[str, Any] = {"process": os.getpid()}
        if route == 3:
            answer = {"result": answer, "status": "ok"}
        if "ask" in body:
            order = ask(body)
            while order in (b"news", b"await-cancel"):
                if order == b"news":
                    send(connection, struct.pack(">Hd", 1, 0.5) + b"half")
                    send(connection, struct.pack(">H", 2) + b"a line")
                elif receive(connection) != b"\x05" + call:
                    os._exit(9)
                order = ask(body)
            if order == b"close":
                connection.close()
                return
            if order == b"fail":
                status, answer = 404, {"detail": "no such file"}
        send(connection, struct.pack(">H", status) + json.dumps(answer).encode())


def custom_answer(frame: bytes) -> bytes:
    (length,) = struct.unpack_from(">I", frame)
    head, body = json.loads(frame[4 : 4 + length]), frame[4 + length :]
    query = urllib.parse.unquote(head["target"].partition("?")[2])
    if query == "exit":
        os._exit(7)
    status, headers = json.loads(query)
    headers = json.dumps(headers).encode()
    head["body"] = body.decode()
    head["process"] = os.getpid()
    return struct.pack(">HI", status, len(headers)) + headers + json.dumps(head).encode()


def ask(body: dict[str, Any]) -> bytes:
    with socket.create_connection(("127.0.0.1", body["ask"])) as test:
        test.sendall(
            json.dumps({"process": os.getpid(), "call": body.get("call")}).encode() + b"\n"
        )
        order = test.makefile("rb").readline().strip()
    word, _, argument = order.partition(b" ")
    if word == b"exit":
        os._exit(int(argument))
    if word == b"segfault":
        ctypes.string_at(0)
    if word == b"abort":
        os.abort()
    if word == b"kill":
        os.kill(os.getpid(), 9)
    if word == b"print":
        print("noise " * 10_000, flush=True)
    return order


def main() -> None:
    mode, path = sys.argv[1], sys.argv[-1]
    if mode == "ends":
        sys.exit(4)
    control = connect(path)
    task = json.loads(receive(control) or b"")
    if mode == "fails":
        send(control, json.dumps({"error": "ImportError: torch"}).encode())
        sys.exit(1)
    send(
        control, json.dumps({"model_class": "Mock", "has_custom_routes": mode == "custom"}).encode()
    )
    for _ in range(task["connections"]):
        threading.Thread(target=serve, args=(connect(path),), daemon=True).start()
    control.recv(1)


main()

#!/usr/bin/env python3
"""Sends a mix of requests to a backend, annotation events among them, and prints its memory.

usage: scripts/measure_memory.py [--requests N] [--every N] PROGRAM [FLAG...]

Prints one line for each part of the run: requests, seconds, MB, threads, answers by status. Memory
is flat when the last lines are no higher than those after the first tenth.
"""

from __future__ import annotations

import argparse
import collections
import itertools
import json
import multiprocessing
import random
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CONFIG = (
    '<View><Text name="text" value="$text"/><Choices name="label" toName="text">'
    '<Choice value="positive"/><Choice value="negative"/></Choices></View>'
)
N_PROJECTS = 20
N_CLIENTS = 4
# Of twenty requests in a row.
MIX = (
    ["predict"] * 9
    + ["health"] * 4
    + ["setup"] * 2
    + ["ANNOTATION_CREATED"] * 2
    + ["ANNOTATION_UPDATED", "ANNOTATIONS_DELETED", "START_TRAINING"]
)


def request(kind: str, number: int, draw: random.Random) -> bytes:
    """A request as Label Studio sends it; texts have many lengths, so that memory is cut up."""
    project = draw.randrange(1, N_PROJECTS + 1)
    if kind == "health":
        return b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    text = " ".join(
        draw.choices(["good", "bad", "fine", "poor", "naïve"], k=draw.randrange(1, 500))
    )
    task = {"id": number, "data": {"text": text}, "annotations": [], "predictions": []}
    body: dict[str, Any]
    if kind == "predict":
        path, body = "/predict", {"tasks": [task] * draw.randrange(1, 5), "label_config": CONFIG}
        body |= {"project": f"{project}.1", "params": {"context": None}}
    elif kind == "setup":
        path, body = "/setup", {"project": f"{project}.1", "schema": CONFIG, "hostname": ""}
    else:
        value = {"choices": [draw.choice(["positive", "negative"])]}
        region = {"from_name": "label", "to_name": "text", "type": "choices", "value": value}
        annotation = {"id": number, "result": [region], "task": number, "was_cancelled": False}
        path, body = (
            "/webhook",
            {"action": kind, "project": {"id": project, "label_config": CONFIG}},
        )
        if kind == "ANNOTATIONS_DELETED":
            body["annotations"] = [{"id": number}]
        elif kind != "START_TRAINING":
            body |= {"annotation": annotation, "task": task}
    content = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def send(port: int, seed: int, n_requests: int, statuses: Any) -> None:
    """One client: requests one after the other, on connections that it opens again now and then."""
    draw = random.Random(seed)
    requests = [request(kind, number, draw) for number in range(40) for kind in MIX]
    draw.shuffle(requests)
    counts: collections.Counter[int] = collections.Counter()
    sent: Iterator[bytes] = itertools.islice(itertools.cycle(requests), n_requests)
    while part := list(itertools.islice(sent, 1000)):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            answers = connection.makefile("rb")
            for message in part:
                connection.sendall(message)
                counts[status_of(answers)] += 1
    statuses.put(counts)


def status_of(answers: Any) -> int:
    """Reads one answer."""
    status, length = int(answers.readline().split()[1]), 0
    while (line := answers.readline()) not in (b"\r\n", b""):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    answers.read(length)
    return status


def state(pid: int) -> tuple[float, int]:
    """Resident memory in MB, and the number of threads."""
    text = Path(f"/proc/{pid}/status").read_text()
    found = dict(re.findall(r"^(VmRSS|Threads):\s+(\d+)", text, re.MULTILINE))
    return int(found["VmRSS"]) / 1024, int(found["Threads"])


def main() -> int:
    """Runs the mix, part by part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--every", type=int, default=50_000)
    parser.add_argument("program", nargs=argparse.REMAINDER)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        flags = ["--port", "0", "--host", "127.0.0.1", "--model-dir", folder]
        program = subprocess.Popen([*args.program, *flags], stdout=subprocess.PIPE, text=True)
        try:
            measure(program, args)
        finally:
            program.terminate()
            program.wait()
    return 0


def measure(program: subprocess.Popen[str], args: argparse.Namespace) -> None:
    """Prints a line for each part."""
    assert program.stdout
    found = (re.search(r"listening on http://127.0.0.1:(\d+)", line) for line in program.stdout)
    port = next(int(match[1]) for match in found if match)
    threading.Thread(target=collections.deque, args=(program.stdout, 0), daemon=True).start()
    started = time.monotonic()
    for part in range(args.requests // args.every):
        statuses: Any = multiprocessing.SimpleQueue()
        share = args.every // N_CLIENTS
        clients = [
            multiprocessing.Process(target=send, args=(port, part * N_CLIENTS + n, share, statuses))
            for n in range(N_CLIENTS)
        ]
        for client in clients:
            client.start()
        counts = sum((statuses.get() for _ in clients), collections.Counter[int]())
        for client in clients:
            client.join()
        memory, n_threads = state(program.pid)
        seconds, n_sent = time.monotonic() - started, (part + 1) * args.every
        answers = " ".join(f"{status}:{count}" for status, count in sorted(counts.items()))
        print(
            f"{n_sent:>9} {seconds:7.0f} s {memory:7.1f} MB {n_threads:4} threads  {answers}",
            flush=True,
        )


if __name__ == "__main__":
    sys.exit(main())

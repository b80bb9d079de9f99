#!/usr/bin/env python3
"""Measures what a backend promises under load and across crashes; prints one line per figure.

usage: scripts/measure_production.py [--program PATH] [--database-url URL] FIGURE...

FIGURE: kills, burst, events, training, clients, batching, replicas (needs a database); by default
all but the last.
The program is the example `slow_model` of label-studio-ml:
    cargo build --release -p label-studio-ml --features postgres --example slow_model
"""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import http.client
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import tempfile
import threading
import time
from typing import Any, Callable, TypeVar

T = TypeVar("T")

CONFIG = (
    '<View><Text name="t" value="$t"/>'
    '<Choices name="c" toName="t"><Choice value="x"/></Choices></View>'
)


class Server:
    """A process of the program, on a free port."""

    def __init__(self, program: str, folder: str, *flags: object, **variables: str) -> None:
        self.process = subprocess.Popen(
            [
                program,
                "--port",
                "0",
                "--host",
                "127.0.0.1",
                "--model-dir",
                folder,
                *map(str, flags),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "LOG_LEVEL": "INFO", **variables},
        )
        assert self.process.stdout
        for line in self.process.stdout:
            found = re.search(r"listening on http://([^ ]+):(\d+)", line)
            if found:
                self.port = int(found.group(2))
                break
        rest = self.process.stdout
        threading.Thread(target=lambda: collections.deque(rest, 0), daemon=True).start()

    def connect(self, timeout: float = 120) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        connection: http.client.HTTPConnection | None = None,
    ) -> tuple[int, Any]:
        connection = connection or self.connect()
        text = None if body is None else json.dumps(body)
        connection.request(method, path, text, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, json.loads(response.read() or b"null")

    def metric(self, name: str) -> float:
        connection = self.connect()
        connection.request("GET", "/metrics", headers={"Accept": "application/json"})
        samples = json.loads(connection.getresponse().read())["samples"]
        return float(samples.get(name, 0))

    def memory(self) -> float:
        return self.metric("process_resident_memory_bytes")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def event(project: int, number: int, action: str = "ANNOTATION_CREATED") -> dict[str, Any]:
    return {
        "action": action,
        "project": {"id": project, "label_config": CONFIG},
        "annotation": {"id": number, "result": []},
    }


def tasks() -> dict[str, Any]:
    return {"tasks": [{"id": 1, "data": {"t": "x"}}], "project": "1.1", "label_config": CONFIG}


def wait_for(what: str, look: Callable[[], T], seconds: float = 300) -> T:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.02)
    raise SystemExit(f"waited in vain for {what}")


def done(folder: str, project: int) -> list[str]:
    path = pathlib.Path(folder, f"done-{project}")
    return path.read_text().split() if path.exists() else []


def percentile(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def kills(program: str, database: str | None) -> None:
    """Kills a server in the middle of a job, again and again."""
    n_trials = 100
    store = {"CACHE_TYPE": "postgres", "DATABASE_URL": database} if database else {}
    with tempfile.TemporaryDirectory() as folder:
        for trial in range(n_trials):
            # A webhook is answered when its training has ended, or after half a second.
            flags = ["--fit-ms", 700, "--fit-attempts", 1000, "--trace", folder]
            server = Server(program, folder, *flags, **store)
            server.send("POST", "/webhook", event(trial, trial))
            wait_for("a running job", pathlib.Path(folder, f"busy-{trial}").exists)
            server.kill()
        server = Server(program, folder, "--fit-ms", 1, "--trace", folder, **store)
        for state in ("pending", "running"):
            path = f"/jobs?state={state}&limit=1"
            wait_for("the jobs", lambda path=path: server.send("GET", path)[1]["jobs"] == [])  # type: ignore[misc]
        lost = sum(not done(folder, trial) for trial in range(n_trials))
        overlaps = pathlib.Path(folder, "overlaps").exists()
        server.kill()
    where = "PostgreSQL" if database else "SQLite"
    print(
        f"kill -9 in the middle of a job, {where}: {n_trials} trials, {lost} lost, "
        f"overlaps: {overlaps}"
    )


def burst(program: str, _: str | None) -> None:
    """Presses “Start training” a thousand times."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(program, folder, "--fit-ms", 20_000, "--trace", folder)
        start = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            events = [event(n % 4, n, "START_TRAINING") for n in range(1000)]
            list(pool.map(lambda body: server.send("POST", "/webhook", body), events))
        took = time.monotonic() - start
        wait_for("the trainings", lambda: server.metric("label_studio_ml_jobs_pending") == 0)
        wait_for("the trainings", lambda: server.metric("label_studio_ml_jobs_running") == 0)
        runs = {project: len(done(folder, project)) for project in range(4)}
        server.kill()
    print(f"1,000 START_TRAINING in {took:.1f} s, a fit takes 20 s: runs per project {runs}")


def events(program: str, _: str | None) -> None:
    """Sends 100,000 annotation events of eight projects behind a long training, and looks at the
    order in which a server runs them after a kill.
    """
    n_events, n_projects, n_looked_at = 100_000, 8, 2000
    with tempfile.TemporaryDirectory() as folder:
        server = Server(program, folder, "--fit-ms", 60_000)
        for project in range(n_projects):
            server.send("POST", "/webhook", event(project, -1, "START_TRAINING"))
        before = server.memory()
        latencies: list[float] = []
        start = time.monotonic()

        def send(part: range) -> list[float]:
            connection, own = server.connect(), list[float]()
            for number in part:
                begun = time.monotonic()
                body = event(number % n_projects, number)
                status, answer = server.send("POST", "/webhook", body, connection)
                own.append(time.monotonic() - begun)
                assert status == 201, answer
            return own

        parts = [range(n, n_events, n_projects) for n in range(n_projects)]
        with concurrent.futures.ThreadPoolExecutor(n_projects) as pool:
            for own in pool.map(send, parts):
                latencies += own
        took = time.monotonic() - start
        growth = (server.memory() - before) / 2**20
        pending = server.metric("label_studio_ml_jobs_pending")
        server.kill()
        server = Server(program, folder, "--trace", folder)

        def runs() -> list[list[int]]:
            return [list(map(int, done(folder, project))) for project in range(n_projects)]

        wait_for("some events", lambda: sum(map(len, runs())) > n_looked_at)
        server.kill()
        # The first server has run some of them.
        in_order = all(
            ran == list(range(ran[0], ran[-1] + 1, n_projects)) for ran in trimmed(runs())
        )
    p99 = percentile(latencies, 0.99) * 1000
    print(
        f"100,000 events behind a 60 s fit: {took:.0f} s, p99 {p99:.0f} ms, "
        f"{growth:.0f} MiB more memory, {pending:.0f} wait; in order after a kill: {in_order}"
    )


def trimmed(runs: list[list[int]]) -> list[list[int]]:
    """Removes the trainings that the events waited for, and projects without a run."""
    without = [[number for number in ran if number >= 0] for ran in runs]
    return [ran for ran in without if ran]


def training(program: str, _: str | None) -> None:
    """Predicts, and sends events, without and with a training of 30 s."""

    def timed(server: Server, path: str, body: dict[str, Any], seconds: float) -> list[float]:
        connection, own = server.connect(), list[float]()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            begun = time.monotonic()
            status, answer = server.send("POST", path, body, connection)
            own.append((time.monotonic() - begun) * 1000)
            assert status < 300, answer
        return own

    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(8) as pool:
        server = Server(program, folder, "--call-ms", 5, "--fit-ms", 30_000)

        def predictions(seconds: float) -> list[float]:
            clients = [pool.submit(timed, server, "/predict", tasks(), seconds) for _ in range(4)]
            return [one for client in clients for one in client.result()]

        predictions(2)
        idle = predictions(20)
        server.send("POST", "/webhook", event(1, 0, "START_TRAINING"))
        events = pool.submit(timed, server, "/webhook", event(1, 1), 20)
        busy = predictions(20)
        webhooks = events.result()
        server.kill()
    print(
        f"predict p99 {percentile(idle, 0.99):.1f} ms (p50 {percentile(idle, 0.5):.1f}) idle, "
        f"{percentile(busy, 0.99):.1f} ms (p50 {percentile(busy, 0.5):.1f}) during a fit of 30 s "
        f"with events; webhook p99 {percentile(webhooks, 0.99):.1f} ms of {len(webhooks)}"
    )


def clients(program: str, _: str | None) -> None:
    """512 clients of a model that takes a second."""
    with tempfile.TemporaryDirectory() as folder:
        flags = ["--call-ms", 1000, "--threads", 8, "--predict-timeout", 20]
        server = Server(program, folder, *flags)
        statuses: collections.Counter[int] = collections.Counter()
        health: list[float] = []
        is_done = threading.Event()

        def look() -> None:
            connection = server.connect()
            while not is_done.is_set():
                begun = time.monotonic()
                server.send("GET", "/health", connection=connection)
                health.append(time.monotonic() - begun)
                time.sleep(0.01)

        watcher = threading.Thread(target=look)
        watcher.start()
        before = server.memory()
        with concurrent.futures.ThreadPoolExecutor(512) as pool:
            answers = pool.map(lambda _: server.send("POST", "/predict", tasks()), range(1024))
            statuses.update(status for status, _ in answers)
        growth = (server.memory() - before) / 2**20
        is_done.set()
        watcher.join()
        wait_for("an empty queue", lambda: server.metric("label_studio_ml_queue_depth") == 0)
        n_calls = server.metric('label_studio_ml_model_calls_total{outcome="ok"}')
        server.kill()
    p99 = percentile(health, 0.99) * 1000
    print(
        f"512 clients, 1 s model, 8 threads: {dict(statuses)}, {n_calls:.0f} calls of the model, "
        f"/health p99 {p99:.0f} ms, {growth:.0f} MiB more memory"
    )


def rate(program: str, *flags: object) -> float:
    """Returns how many requests 8 clients get answered per second, one task each."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(program, folder, "--call-ms", 20, "--task-ms", 1, "--threads", 1, *flags)
        n_done, end = [0] * 8, time.monotonic() + 5

        def client(idx: int) -> None:
            connection = server.connect()
            while time.monotonic() < end:
                server.send("POST", "/predict", tasks(), connection)
                n_done[idx] += 1

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(client, range(8)))
        server.kill()
        return sum(n_done) / 5


def batching(program: str, _: str | None) -> None:
    """8 clients of a model of 20 ms per call and 1 ms per task that runs one call at a time."""
    off, on = rate(program), rate(program, "--batch-tasks", 8, "--batch-wait-ms", 5)
    print(f"batching, 8 clients: {off:.0f} requests/s off, {on:.0f} on: {on / off:.1f}x")


def replicas(program: str, database: str | None) -> None:
    """Kills one of two replicas during 200 predictions and 20 trainings, three times."""
    assert database, "--database-url is missing"
    for trial in range(3):
        with tempfile.TemporaryDirectory() as folder:
            variables = {"CACHE_TYPE": "postgres", "DATABASE_URL": database}
            flags: list[object] = ["--fit-ms", 300, "--call-ms", 20, "--trace", folder]
            servers = [Server(program, f"{folder}/{n}", *flags, **variables) for n in range(2)]
            print(kill_one_of(servers, trial % 2, folder))


def kill_one_of(servers: list[Server], victim: int, folder: str) -> str:
    first = random.randrange(10**6) * 100
    killing = threading.Timer(0.7, servers[victim].kill)
    killing.start()

    def ask(call: tuple[str, Any, int]) -> int:
        path, body, first_choice = call
        for n in range(200):
            try:
                return servers[(first_choice + n) % 2].send("POST", path, body)[0]
            except (OSError, http.client.HTTPException):
                time.sleep(0.01)
        raise SystemExit("no replica answers")

    start = time.monotonic()
    calls = [("/webhook", event(first + n % 5, n), n) for n in range(20)]
    calls += [("/predict", tasks(), n) for n in range(200)]
    random.shuffle(calls)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        statuses = collections.Counter(pool.map(ask, calls))
    killing.join()
    projects = [first + p for p in range(5)]
    wait_for("the trainings", lambda: all(len(set(done(folder, p))) == 4 for p in projects))
    took = time.monotonic() - start
    repeated = sum(len(done(folder, p)) for p in projects) - 20
    overlaps = pathlib.Path(folder, "overlaps").exists()
    servers[1 - victim].kill()
    return (
        f"two replicas, one killed: {dict(statuses)}, 20 trainings done after {took:.1f} s, "
        f"{repeated} run again, overlaps: {overlaps}"
    )


FIGURES = {f.__name__: f for f in (kills, burst, events, training, clients, batching, replicas)}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("figures", nargs="*", metavar="FIGURE")
    parser.add_argument("--program", default="target/release/examples/slow_model")
    parser.add_argument("--database-url")
    args = parser.parse_args()
    for figure in args.figures or [name for name in FIGURES if name != "replicas"]:
        FIGURES[figure](args.program, args.database_url)

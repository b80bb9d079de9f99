#!/usr/bin/env python3
"""Compares the speed of backends that serve the same model, side by side, with wrk.

usage: compare_servers.py NAME=URL#PID NAME=URL#PID ... [--scenarios a,b | --predict FILE]
[--clients 1,8] [--seconds 3]
                          [--rounds 3]

Every round runs every server once per scenario and number of clients, in rotating order; the table
has medians over rounds. PID is the root process of a server: user and system time of its whole tree
per request is the number to trust on a machine that others use, too. Ratios are to the first
server. The answers must be equal before speed is compared; those to the body of --predict
must have the same regions, whose numbers may differ.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

N_REGIONS_OF_5_MB = 335


@dataclass
class Server:
    name: str
    url: str
    pid: int

    @classmethod
    def parse(cls, text: str) -> "Server":
        name, _, address = text.partition("=")
        url, _, pid = address.partition("#")
        return cls(name, url.rstrip("/"), int(pid))

    def tree(self) -> list[int]:
        """The process and all that it started."""
        children: dict[int, list[int]] = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                parent = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(pid))
        found, todo = [], [self.pid]
        while todo:
            found.append(todo.pop())
            todo += children.get(found[-1], [])
        return found

    def cpu_seconds(self) -> float:
        ticks = 0
        for pid in self.tree():
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def megabytes(self) -> float:
        """Memory, with pages that processes share counted once."""
        pages = (Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in self.tree())
        return sum(int(_found(r"^Pss:\s+(\d+)", text)[1]) for text in pages) / 1024

    def ask(self, path: str, body: bytes | None) -> Any:
        request = urllib.request.Request(
            self.url + path, body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def settle(self) -> None:
        """Waits until requests that a former run left behind have been worked off."""
        n_quick = 0
        while n_quick < 3:
            started = time.monotonic()
            self.ask("/health", None)
            n_quick = n_quick + 1 if time.monotonic() - started < 0.1 else 0


def label_config() -> str:
    choices = "\n".join(
        f'<Choice value="Category {i}" alias="cat_{i}" hotkey="{i}"/>' for i in range(6)
    )
    return f"""<View>
  <Style>.prompt::before {{ content: ' loading...'; color: #808080; }}</Style>
  <View style="box-shadow: 2px 2px 5px #999; padding: 20px; margin-top: 2em; border-radius: 5px;">
    <Header value="Choose the category of the text"/>
    <Text name="text" value="$text" granularity="word" highlightColor="#ff0000"/>
    <Choices name="category" toName="text" choice="single" showInLine="true" required="true">
{choices}
    </Choices>
    <TextArea name="comment" toName="text" rows="3" maxSubmissions="1" editable="true" placeholder="Comment"/>
  </View>
</View>"""


def task(number: int, n_regions: int = 0) -> dict[str, Any]:
    region = {
        "original_width": 1920,
        "original_height": 1080,
        "image_rotation": 0,
        "from_name": "label",
        "to_name": "image",
        "type": "rectanglelabels",
        "value": {
            "x": 12.345678901234567,
            "y": 23.456789012345678,
            "width": 34.56789012345678,
            "height": 45.67890123456789,
            "rotation": 0,
            "rectanglelabels": ["Car"],
        },
    }
    result = [region | {"id": f"r{number}_{i}"} for i in range(n_regions)]
    return {
        "id": 1000 + number,
        "meta": {},
        "created_at": "2024-03-20T20:50:22.955810Z",
        "is_labeled": False,
        "data": {
            "text": f"Task {number}: the quick brown fox — «déjà vu» — jumps over the lazy dog " * 4
        },
        "updated_at": "2024-03-20T20:50:22.955819Z",
        "overlap": 1,
        "inner_id": number,
        "total_annotations": 0,
        "cancelled_annotations": 0,
        "total_predictions": 0,
        "comment_count": 0,
        "unresolved_comment_count": 0,
        "last_comment_updated_at": None,
        "project": 6,
        "updated_by": None,
        "file_upload": 8,
        "comment_authors": [],
        "annotations": [{"id": number, "result": result}] if result else [],
        "predictions": [],
    }


def predict(n_tasks: int, n_regions: int = 0) -> tuple[str, dict[str, Any]]:
    return "/predict", {
        "tasks": [task(i, n_regions) for i in range(n_tasks)],
        "project": "6.1710967805",
        "label_config": label_config(),
        "params": {"login": None, "password": None, "context": None},
    }


def scenarios() -> dict[str, tuple[str, dict[str, Any] | None]]:
    setup = {
        "project": "6.1710967805",
        "schema": label_config(),
        "hostname": "http://localhost:8080",
        "access_token": "x" * 40,
        "extra_params": None,
    }
    return {
        "health": ("/health", None),
        "predict 1 task": predict(1),
        "predict 50 tasks": predict(50),
        "predict 5 MB": predict(50, N_REGIONS_OF_5_MB),
        "setup": ("/setup", setup),
    }


def outline(answer: dict[str, Any]) -> list[list[tuple[str, str]]]:
    """The regions of each prediction, without their numbers."""
    return [
        [(region["from_name"], region["type"]) for region in one["result"]]
        for one in answer["results"]
    ]


def _found(pattern: str, text: str) -> re.Match[str]:
    found = re.search(pattern, text, re.MULTILINE)
    if found is None:
        raise SystemExit(f"{pattern!r} is not in {text!r}")
    return found


def load(server: Server, path: str, script: Path, clients: int, seconds: int) -> dict[str, float]:
    """Runs wrk and returns requests per second, the 99th percentile in ms, CPU per request in us,
    and failures.
    """
    server.settle()
    before = server.cpu_seconds()
    command = [
        "wrk",
        "--latency",
        "-t1",
        f"-c{clients}",
        f"-d{seconds}s",
        "--timeout",
        "20s",
        "-s",
        script,
    ]
    report = subprocess.run(
        [*map(str, command), server.url + path], capture_output=True, text=True, check=True
    ).stdout
    found = _found(r"(\d+) requests in ([\d.]+)(m?s|m)", report)
    n_requests, duration = int(found[1]), float(found[2]) * {"ms": 1e-3, "s": 1, "m": 60}[found[3]]
    late = re.search(r"^\s+99%\s+([\d.]+)(us|ms|s)", report, re.MULTILINE)
    failures = re.findall(
        r"Non-2xx or 3xx responses: (\d+)|(?:connect|read|write|timeout) (\d+)", report
    )
    return {
        "rps": n_requests / duration,
        "p99": float(late[1]) * {"us": 1e-3, "ms": 1, "s": 1e3}[late[2]] if late else float("nan"),
        "cpu": (server.cpu_seconds() - before) / max(n_requests, 1) * 1e6,
        "failures": sum(int(one or other) for one, other in failures),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("servers", nargs="+", type=Server.parse, metavar="NAME=URL#PID")
    parser.add_argument("--scenarios", default=",".join(scenarios()))
    parser.add_argument(
        "--predict", type=Path, metavar="FILE", help="a /predict body, instead of the scenarios"
    )
    parser.add_argument("--clients", default="1,8")
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()

    for server in args.servers:
        print(f"{server.name}: {server.megabytes():.1f} MB idle")
    print(
        "\n| scenario | clients | server | requests/s | p99 ms | CPU us | failures | requests/s x | CPU / |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for name in [f"predict {args.predict.name}"] if args.predict else args.scenarios.split(","):
            path, document = (
                ("/predict", json.loads(args.predict.read_text()))
                if args.predict
                else scenarios()[name]
            )
            body = None if document is None else json.dumps(document).encode()
            answers = [server.ask(path, body) for server in args.servers]
            if args.predict:
                answers = [outline(answer) for answer in answers]
            if body is not None and any(answer != answers[0] for answer in answers):
                raise SystemExit(f"{name}: the answers differ")
            script = Path(folder, "request.lua")
            Path(folder, "body.json").write_bytes(body or b"")
            script.write_text(
                f'local file = io.open("{folder}/body.json", "rb")\nwrk.body = file:read("*a")\n'
                'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\n'
                if body
                else ""
            )
            for clients in map(int, args.clients.split(",")):
                runs: dict[str, list[dict[str, float]]] = {
                    server.name: [] for server in args.servers
                }
                for round_idx in range(args.rounds):
                    first = round_idx % len(args.servers)
                    for server in args.servers[first:] + args.servers[:first]:
                        runs[server.name].append(load(server, path, script, clients, args.seconds))
                report(name, clients, runs)
    for server in args.servers:
        print(f"{server.name}: {server.megabytes():.1f} MB after the load")


def report(scenario: str, clients: int, runs: dict[str, list[dict[str, float]]]) -> None:
    medians = {
        name: {key: statistics.median(run[key] for run in all_runs) for key in all_runs[0]}
        for name, all_runs in runs.items()
    }
    base = next(iter(medians.values()))
    for name, row in medians.items():
        n_failures = sum(run["failures"] for run in runs[name])
        print(
            f"| {scenario} | {clients} | {name} | {row['rps']:.{1 if row['rps'] < 100 else 0}f} | {row['p99']:.1f} | {row['cpu']:.0f} "
            f"| {n_failures:.0f} | {row['rps'] / base['rps']:.1f} | {base['cpu'] / max(row['cpu'], 1e-9):.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()

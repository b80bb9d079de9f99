"""Starts the demo, says where it is, and stays until Ctrl-C."""

import argparse
import signal
import sys
import time
from pathlib import Path

from demo.reviews import open_project
from e2e.backend import Backend
from e2e.checks import CheckFailed
from e2e.label_studio import LabelStudio
from e2e.process import free_port

ROOT = Path(__file__).resolve().parent.parent

WELCOME = """
Label Studio is at  {url}/projects/{project}
  user              {username}
  password          {password}
The backend is at   {backend}  (connected to the project; its log: {log})

Things to try
  - Open a task without an annotation: the label is already chosen. Submit it, or correct it first.
  - Settings > Model > ... > Start Training: the backend learns from what you labelled.
  - Back in the list: select tasks, Actions > Retrieve Predictions. Settings > Predictions
    then lists the new model version, and the tab of each new prediction shows it.

Ctrl-C stops everything; the project and what the model has learnt are kept in {data}.
"""


def main() -> int:
    """Runs the demo."""
    args = parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        print(
            "starting Label Studio (the first time takes a minute, on a busy machine several)",
            flush=True,
        )
        label_studio_port = port_for("Label Studio", args.label_studio_port)
        with LabelStudio(args.venv, args.data / "label-studio", label_studio_port) as label_studio:
            environment = {
                "LABEL_STUDIO_URL": label_studio.url,
                "LABEL_STUDIO_API_KEY": label_studio.token,
                "START_TRAINING_EACH_N_UPDATES": "5",
            }
            program = args.programs.absolute() / "sklearn_text_classifier"
            port = port_for("the backend", args.port)
            with Backend(program, environment, port, args.data / "backend") as backend:
                project = open_project(label_studio.client(), backend.url)
                places = {
                    "url": label_studio.url,
                    "project": project,
                    "backend": backend.url,
                    "data": args.data,
                }
                login = {"username": label_studio.username, "password": label_studio.password}
                print(WELCOME.format(**places, **login, log=backend.process.log), flush=True)
                while label_studio.process.is_running() and backend.process.is_running():
                    time.sleep(0.5)
                stopped = label_studio.process if backend.process.is_running() else backend.process
                raise CheckFailed(f"{stopped.name} has ended: {stopped.log_tail()}")
    except KeyboardInterrupt:
        print("\nstopped")
        return 0
    except CheckFailed as failure:
        print(failure, file=sys.stderr)
        return 1


def port_for(program: str, preferred: int) -> int:
    """The preferred port, or another one when it is taken, which is said."""
    port = free_port(preferred)
    if port != preferred:
        print(f"port {preferred} is taken, so {program} gets port {port}", flush=True)
    return port


def parse_args() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m demo", description="Label Studio with a backend, ready to try"
    )
    parser.add_argument(
        "--port", type=int, default=9090, help="port of the backend, when it is free"
    )
    parser.add_argument(
        "--label-studio-port", type=int, default=8080, help="port of Label Studio, when it is free"
    )
    parser.add_argument(
        "--programs",
        type=Path,
        default=ROOT / "target/debug",
        help="folder of the backends' binaries",
    )
    parser.add_argument(
        "--venv", type=Path, default=ROOT / ".ls-venv", help="virtual environment of Label Studio"
    )
    parser.add_argument(
        "--data", type=Path, default=ROOT / ".demo", help="what is kept between two demos"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

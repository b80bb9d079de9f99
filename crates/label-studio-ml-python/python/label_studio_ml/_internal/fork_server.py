"""A process that imports a model and forks workers, so that a crashed worker is replaced at once.
It answers no calls.

It gets the path of a Unix socket and the task to load, as a worker does. The server then sends
`{"fork": path}` for each worker: the fork connects to that path and continues as a worker. The
replies are `{"forked": process}`, and `{"ended": process, "status": wait status}` when a worker
ends. The fork server ends with its connection.
"""

from __future__ import annotations

import contextlib
import gc
import glob
import logging
import os
import select
import signal
import socket
import sys
import threading
from typing import Any, Callable, Optional

from ..model import LabelStudioMLBase

logger = logging.getLogger(__name__)

Send = Callable[[dict[str, Any]], None]
Receive = Callable[[], Optional[dict[str, Any]]]


def run(
    control: socket.socket, model_class: type[LabelStudioMLBase], send: Send, receive: Receive
) -> str | None:
    """Forks workers until the server ends, then returns None. In a worker it returns the path of
    the worker's socket.
    """
    obstacle = obstacle_to_forking()
    if obstacle is not None:
        send({"cannot_fork": obstacle})
        return None
    send({"model_class": model_class.__name__})
    # The collector skips what exists now, so that its pages stay shared.
    gc.collect()
    gc.freeze()
    woken, wakes = os.pipe()
    os.set_blocking(wakes, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    previous = signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    orders = control.fileno()
    while True:
        ready, _, _ = select.select([orders, woken], [], [])
        if woken in ready:
            os.read(woken, 512)
            _report_ended(send)
        if orders not in ready:
            continue
        order = receive()
        if order is None:
            return None
        sys.stdout.flush()
        sys.stderr.flush()
        process = os.fork()
        if process == 0:
            signal.set_wakeup_fd(previous)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            # The server detects the fork server's end by its connection, so no fork may hold it
            # open.
            for descriptor in (control.detach(), woken, wakes):
                os.close(descriptor)
            os.setpgid(0, 0)
            return str(order["fork"])
        _set_group(process)
        send({"forked": process})


def obstacle_to_forking() -> str | None:
    """Returns why this process cannot be forked, or None."""
    threads = [
        thread.name for thread in threading.enumerate() if thread is not threading.current_thread()
    ]
    if threads:
        return (
            f"importing the model starts threads ({', '.join(threads)}), which a fork does not have"
        )
    torch: Any = sys.modules.get("torch")
    cuda = getattr(torch, "cuda", None)
    # Querying for a GPU opens the driver, too, which torch does not report as initialised.
    if (cuda is not None and cuda.is_initialized()) or _has_open("/dev/nvidia"):
        return (
            "importing the model initialises CUDA, which cannot be used in a fork; "
            "do that in setup() or predict()"
        )
    return None


def _has_open(prefix: str) -> bool:
    for link in glob.iglob("/proc/self/fd/*"):
        try:
            if os.readlink(link).startswith(prefix):
                return True
        except OSError:
            # The descriptor that listed the folder.
            continue
    return False


def _report_ended(send: Send) -> None:
    while True:
        try:
            process, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if process == 0:
            return
        send({"ended": process, "status": status})


def _set_group(process: int) -> None:
    # The fork does the same; either may be first.
    with contextlib.suppress(OSError):
        os.setpgid(process, process)

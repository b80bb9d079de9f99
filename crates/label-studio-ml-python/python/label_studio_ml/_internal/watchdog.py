"""A small process that kills a worker's process group when the server or the worker ends.

The server ends its workers itself, unless it is killed with SIGKILL. A worker notices that by its
control connection, but not while compiled code of the model holds the GIL; its children may not
notice at all.
"""

from __future__ import annotations

import os
import select
import signal
import time

_SECONDS_BETWEEN_LOOKS = 1.0


def start(server: int) -> None:
    """Starts the watchdog of this process, which must have its own process group and no
    threads yet.
    """
    worker = os.getpid()
    child = os.fork()
    if child != 0:
        os.waitpid(child, 0)
        return
    # Forked twice, so that the model finds no child that it did not start.
    if os.fork() != 0:
        os._exit(0)
    try:
        _detach()
        _wait_for_end_of([server, worker])
        os.killpg(os.getpgrp(), signal.SIGKILL)
    finally:
        os._exit(1)


def _detach() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(null, descriptor)
    os.closerange(3, os.sysconf("SC_OPEN_MAX") if os.sysconf("SC_OPEN_MAX") > 0 else 1024)


def _wait_for_end_of(processes: list[int]) -> None:
    """Waits until one of the processes has ended."""
    try:
        poll = select.poll()
        for process in processes:
            poll.register(os.pidfd_open(process), select.POLLIN)
        poll.poll()
    except ProcessLookupError:
        return
    except (AttributeError, OSError):
        # Before Linux 5.3, and on other systems.
        while all(_runs(process) for process in processes):
            time.sleep(_SECONDS_BETWEEN_LOOKS)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True

import os
import sys
import tempfile
import unittest
from pathlib import Path

from e2e.checks import CheckFailed
from e2e.process import Process, wait_until


class ProcessTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.log = Path(folder.name) / "log"

    def start(self, script: str) -> Process:
        process = Process([sys.executable, "-u", "-c", script], {"GREETING": "hello"}, self.log)
        self.addCleanup(process.stop)
        return process

    def test_stopping_ends_the_children_too(self) -> None:
        process = self.start(
            "import subprocess, sys\n"
            "child = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE)\n"
            "print(child.pid)\n"
            "child.wait()"
        )
        process.wait_until(lambda: process.log_tail() != "", 10)
        child = int(process.log_tail())
        process.stop()
        wait_until(lambda: not is_alive(child), 10, "the child has ended")
        self.assertFalse(process.is_running())

    def test_a_program_that_ends_early_is_reported_with_its_output(self) -> None:
        process = self.start("import os, sys; print(os.environ['GREETING']); sys.exit(3)")
        with self.assertRaisesRegex(CheckFailed, "ended with status 3: hello"):
            process.wait_until(lambda: False, 10)

    def test_the_exit_status_stays_known(self) -> None:
        process = self.start("import sys; sys.exit(3)")
        wait_until(lambda: not process.is_running(), 10, "the program has ended")
        self.assertEqual((process.stop(), process.stop()), (3, 3))

    def test_waiting_in_vain_says_for_what(self) -> None:
        with self.assertRaisesRegex(CheckFailed, "until pigs fly"):
            wait_until(lambda: False, 0, "pigs fly")

    def test_the_time_begins_again_with_each_progress(self) -> None:
        steps = iter(range(5))
        waited = wait_until(lambda: next(steps) == 4, 0, "it is done", object)
        self.assertTrue(waited)
        with self.assertRaisesRegex(CheckFailed, "until it is done"):
            wait_until(lambda: False, 0, "it is done", lambda: "the same")


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        os.kill(pid, 0)
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False

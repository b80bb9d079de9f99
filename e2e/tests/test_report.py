import contextlib
import io
import signal
import unittest

from e2e.checks import CheckFailed, check, equal
from e2e.report import Report, StepFailed


class ReportTest(unittest.TestCase):
    def setUp(self) -> None:
        self.report = Report()
        self.output = io.StringIO()
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        stack.enter_context(contextlib.redirect_stdout(self.output))

    def test_a_step_that_ends_has_passed(self) -> None:
        with self.report.step("story", "all is well"):
            check(True, "never said")
        self.assertRegex(self.output.getvalue(), r"^ok    story: all is well \(0\.\d s\)\n$")
        self.assertEqual(self.report.closing_line(), "1 passed, 0 failed")

    def test_a_failed_step_says_why_on_one_line(self) -> None:
        with self.assertRaises(StepFailed), self.report.step("story", "numbers"):
            equal(1, 2, "first\nnumber")
        self.assertEqual(
            self.output.getvalue(), "FAIL  story: numbers - first number: wanted 2, got 1\n"
        )
        self.assertEqual(self.report.closing_line(), "0 passed, 1 failed")

    def test_an_answer_of_another_shape_fails_the_step(self) -> None:
        with self.assertRaises(StepFailed), self.report.step("story", "shape"):
            answer: dict[str, int] = {}
            answer["results"]
        self.assertIn("KeyError: 'results'", self.output.getvalue())

    def test_a_step_that_takes_too_long_fails(self) -> None:
        with self.assertRaises(StepFailed), self.report.step("story", "slow", seconds=1):
            signal.pause()
        self.assertIn("took longer than 1 s", self.output.getvalue())

    def test_long_values_are_cut(self) -> None:
        with self.assertRaisesRegex(CheckFailed, r"^number: wanted 1, got \"x{399}\.\.\.$"):
            equal("x" * 1000, 1, "number")

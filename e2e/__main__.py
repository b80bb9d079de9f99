"""Command line of the end-to-end tests."""

import argparse
import functools
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from e2e.checks import CheckFailed
from e2e.client import Client
from e2e.label_studio import LabelStudio
from e2e.report import Report, StepFailed
from e2e.scenarios import SCENARIOS, Scenario
from e2e.stage import Stage

if TYPE_CHECKING:
    from e2e.browser.chromium import Chromium

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Plays the chosen scenarios; 0 when all steps passed."""
    args = parse_args()
    if args.list:
        print("\n".join(scenario.name for scenario in SCENARIOS))
        return 0
    # Ended from outside, everything that was started here still gets put away.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    chosen = [
        scenario for scenario in SCENARIOS if not args.scenario or scenario.name in args.scenario
    ]
    report = Report()
    try:
        with LabelStudio(args.venv, args.data) as label_studio, ExitStack() as cleanup:
            release = label_studio.release()
            print(f"Label Studio {release} is up at {label_studio.url}", flush=True)
            setting = Setting(label_studio, shared_chromium(label_studio, cleanup), args)
            for scenario in chosen:
                if scenario.fits(release):
                    play(scenario, report, setting)
                else:
                    print(f"skip  {scenario.name}: needs a newer Label Studio", flush=True)
    except CheckFailed as failure:
        report.failures.append("Label Studio")
        print(f"FAIL  Label Studio - {failure}", flush=True)
    print(report.closing_line(), flush=True)
    return 1 if report.failures else 0


def parse_args() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m e2e", description="Plays a real Label Studio against the backends"
    )
    parser.add_argument("scenario", nargs="*", help="default: all")
    parser.add_argument("--list", action="store_true", help="name the scenarios and stop")
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
        "--data",
        type=Path,
        help="keep Label Studio's database here, so that the next start is quick",
    )
    parser.add_argument(
        "--screenshots",
        action="store_true",
        help="write the screenshots of the READMEs, in the browser's scenarios",
    )
    args = parser.parse_args()
    unknown = set(args.scenario) - {scenario.name for scenario in SCENARIOS}
    if unknown:
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    return args


@dataclass(frozen=True)
class Setting:
    """What all scenarios share."""

    label_studio: LabelStudio
    chromium: Callable[[], "Chromium"]
    args: argparse.Namespace


def shared_chromium(label_studio: LabelStudio, cleanup: ExitStack) -> Callable[[], "Chromium"]:
    """Starts the browser at the first call."""

    @functools.cache
    def chromium() -> "Chromium":
        # selenium is installed beside the newest Label Studio only.
        from e2e.browser.chromium import Chromium

        return cleanup.enter_context(Chromium(label_studio))

    return chromium


def play(scenario: Scenario, report: Report, setting: Setting) -> None:
    """Plays one scenario and puts away all that it made."""
    label_studio = setting.label_studio
    administrator = label_studio.client()
    with ExitStack() as cleanup:
        client = administrator
        if scenario.personal_token:
            client = Client(label_studio.url, administrator.personal_access_token())
            client.allow_legacy_tokens(False)
            cleanup.callback(client.allow_legacy_tokens, True)
        stage = Stage(
            scenario.name,
            report,
            label_studio,
            client,
            setting.args.programs.absolute(),
            setting.chromium,
            setting.args.screenshots,
            cleanup,
        )
        with suppress(StepFailed):
            scenario.play(stage)


if __name__ == "__main__":
    sys.exit(main())

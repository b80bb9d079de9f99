"""The command `label-studio-ml`."""

from __future__ import annotations

import argparse
import logging  # noqa: F401  imported from here, as from the Python original
import sys
from collections.abc import Sequence
from typing import Any

from ._internal import distributions
from ._internal._native import main as _main
from ._internal.env_files import load_env_files


def main(args: list[str] | None = None) -> int:
    """Runs the command line, the program's name first, and returns its exit code."""
    args = sys.argv if args is None else args
    if args[1:2] == ["start"]:
        load_env_files()
        warning = distributions.conflict()
        if warning is not None:
            print(f"warning: {warning}", file=sys.stderr)
    return _main(args, sys.executable)


def get_args(args: Sequence[str] | None = None) -> tuple[argparse.Namespace, list[str]]:
    """Parses the command line as the Python original does; returns its options and those of the
    server.
    """
    root = argparse.ArgumentParser(add_help=False)
    root.add_argument("--root-dir", default=".")
    parser = argparse.ArgumentParser(prog="label-studio-ml")
    commands = parser.add_subparsers(dest="command", required=True)
    create = commands.add_parser("create", aliases=["init"], parents=[root])
    start = commands.add_parser("start", parents=[root])
    for command in (create, start):
        command.add_argument("project_name")
    create.add_argument("--script", "--from", dest="script")
    create.add_argument("--force", action="store_true")
    start.add_argument("--basic-auth-user")
    start.add_argument("--basic-auth-pass")
    return parser.parse_known_args(args)


def create_dir(args: Any) -> int:
    """Runs `label-studio-ml create` with the options of `get_args`, and returns its exit code."""
    options = ["--root-dir", args.root_dir]
    if args.script:
        options += ["--script", args.script]
    if args.force:
        options.append("--force")
    return main(["label-studio-ml", "create", args.project_name, *options])


def start_server(args: Any, subprocess_params: Sequence[str] = ()) -> int:
    """Runs `label-studio-ml start` with the options of `get_args`, and returns its exit code."""
    options = ["--root-dir", args.root_dir]
    for name in ("basic_auth_user", "basic_auth_pass"):
        value = getattr(args, name, None)
        if value:
            options += [f"--{name.replace('_', '-')}", value]
    return main(["label-studio-ml", "start", args.project_name, *options, *subprocess_params])


def __getattr__(name: str) -> Any:
    # Colours for the terminal; models import them from here, as from the Python original.
    if name == "Fore":
        try:
            from colorama import Fore
        except ImportError:
            return argparse.Namespace(
                RED="\x1b[31m",
                GREEN="\x1b[32m",
                YELLOW="\x1b[33m",
                BLUE="\x1b[34m",
                RESET="\x1b[39m",
            )
        return Fore
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


if __name__ == "__main__":
    sys.exit(main())

"""The command `label-studio-ml`."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command line."""
    sys.exit("not yet")


if __name__ == "__main__":
    main()

"""The command `label-studio-ml`."""

from __future__ import annotations

import sys
from typing import List, Optional

from ._internal._native import main as _main


def main(args: Optional[List[str]] = None) -> int:
    """Runs the command line, the program's name first, and returns its exit code."""
    return _main(sys.argv if args is None else args, sys.executable)


if __name__ == "__main__":
    sys.exit(main())

"""The distributions of this package and of the Python original, which have the same import name."""

from __future__ import annotations

from importlib import metadata

OURS = "label-studio-ml-rs"
ORIGINAL = "label-studio-ml"


def conflict() -> str | None:
    """Returns a warning if the Python original is installed too, else None."""
    try:
        version = metadata.version(ORIGINAL)
    except metadata.PackageNotFoundError:
        return None
    return (
        f"{ORIGINAL} {version}, the Python original, is installed beside {OURS}, "
        "and their files overwrite each other: "
        f"run pip uninstall {ORIGINAL}, then pip install --force-reinstall --no-deps {OURS}"
    )

"""Turn a Python model into a backend that Label Studio connects to."""

import os
from importlib import metadata

package_name = "label-studio-ml"


def _version() -> str:
    try:
        return metadata.version(package_name)
    except metadata.PackageNotFoundError:
        return "0.0.0"


__version__ = os.environ.get("VERSION_OVERRIDE") or _version()

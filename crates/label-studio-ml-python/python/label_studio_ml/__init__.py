"""Turn a Python model into a backend that Label Studio connects to."""

import os
from importlib import metadata

from ._internal import legacy_imports
from ._internal.distributions import OURS

package_name = OURS


def _version() -> str:
    try:
        return metadata.version(package_name)
    except metadata.PackageNotFoundError:
        return "0.0.0"


__version__ = os.environ.get("VERSION_OVERRIDE") or _version()

legacy_imports.install()

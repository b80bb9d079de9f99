"""Imports of `label_studio_tools`, which backends for the releases 1.0.x of the Python original
use.

The Label Studio SDK has taken that package over; this finds its modules there unless the package
itself is installed.
"""

from __future__ import annotations

import importlib
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

_NAME = "label_studio_tools"
_NEW_NAME = f"label_studio_sdk._extensions.{_NAME}"


class _Finder(MetaPathFinder):
    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name == _NAME:
            if PathFinder.find_spec(name) is not None:
                # The package itself is installed.
                return None
        elif not name.startswith(f"{_NAME}.") or sys.modules[_NAME] is not sys.modules.get(
            _NEW_NAME
        ):
            return None
        try:
            module = importlib.import_module(_NEW_NAME + name[len(_NAME) :])
        except ModuleNotFoundError:
            return None
        return ModuleSpec(name, _Loader(module), is_package=hasattr(module, "__path__"))


class _Loader(Loader):
    def __init__(self, module: ModuleType) -> None:
        self._module = module
        self._spec = module.__spec__

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        # The import system has given the module the spec of the old name.
        module.__spec__ = self._spec


def install() -> None:
    """Makes `label_studio_tools` importable."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        # First, since other finders would import the modules of the SDK a second time, under the
        # old name.
        sys.meta_path.insert(0, _Finder())

"""Finding the model classes in a script."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from types import ModuleType
from typing import TypeVar, Union

_Base = TypeVar("_Base")
_Script = Union[str, "os.PathLike[str]"]


def model_names(script: _Script, base: type[_Base]) -> list[str]:
    """Imports a script and returns the names of all classes in it that inherit from `base`, in
    alphabetical order.
    """
    return sorted(models_of(_import(script), base))


def candidates(script: _Script, base: type[_Base]) -> list[str]:
    """Imports a script and returns the names of those classes that may be its model, in
    alphabetical order.
    """
    return sorted(leaves(_import(script), base))


def leaves(module: ModuleType, base: type[_Base]) -> dict[str, type[_Base]]:
    """Returns those classes of a module that may be its model.

    Classes that are only imported, and classes that others are derived from, are left out if there
    are better ones.
    """
    models = models_of(module, base)
    own = {name: one for name, one in models.items() if one.__module__ == module.__name__} or models
    unique: dict[str, type[_Base]] = {}
    for name, one in own.items():
        if one not in unique.values():
            unique[name] = one
    return {
        name: one
        for name, one in unique.items()
        if not any(other is not one and issubclass(other, one) for other in unique.values())
    }


def models_of(module: ModuleType, base: type[_Base]) -> dict[str, type[_Base]]:
    """Returns the classes of a module that inherit from `base`, by their names in the module."""
    return {
        name: member
        for name, member in vars(module).items()
        if inspect.isclass(member) and issubclass(member, base) and member is not base
    }


def _import(script: _Script) -> ModuleType:
    folder, file_name = os.path.split(os.path.abspath(script))
    # First, as for a script that is run: a module of the same name elsewhere is not meant.
    sys.path.insert(0, folder)
    try:
        return importlib.import_module(os.path.splitext(file_name)[0])
    finally:
        sys.path.remove(folder)

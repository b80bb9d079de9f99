"""Finding the model class in a script."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from types import ModuleType
from typing import Dict, List, Type

from .model import LabelStudioMLBase


def model_names(script: "str | os.PathLike[str]") -> List[str]:
    """Imports a script and returns the names of all model classes in it."""
    return list(_models(_import(script)))


def candidates(script: "str | os.PathLike[str]") -> List[str]:
    """Imports a script and returns the names of those classes that may be its model.

    Classes that are only imported, and classes that others are derived from, are no candidates if there are better ones.
    """
    module = _import(script)
    models = _models(module)
    own = {name: one for name, one in models.items() if one.__module__ == module.__name__} or models
    return [
        name for name, one in own.items() if not any(other is not one and issubclass(other, one) for other in own.values())
    ]


def _import(script: "str | os.PathLike[str]") -> ModuleType:
    folder, file_name = os.path.split(os.path.abspath(script))
    # First, as for a script that is run: a module of the same name elsewhere is not meant.
    sys.path.insert(0, folder)
    try:
        return importlib.import_module(os.path.splitext(file_name)[0])
    finally:
        sys.path.remove(folder)


def _models(module: ModuleType) -> Dict[str, Type[LabelStudioMLBase]]:
    return {
        name: member
        for name, member in inspect.getmembers(module, inspect.isclass)
        if issubclass(member, LabelStudioMLBase) and member is not LabelStudioMLBase
    }

"""Finding the model class in a script."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from typing import List

from .model import LabelStudioMLBase


def model_classes(script: "str | os.PathLike[str]") -> List[str]:
    """Imports a script and returns the names of its model classes."""
    folder, file_name = os.path.split(os.path.abspath(script))
    # First, as for a script that is run: a module of the same name elsewhere is not meant.
    sys.path.insert(0, folder)
    try:
        module = importlib.import_module(os.path.splitext(file_name)[0])
    finally:
        sys.path.remove(folder)
    return [
        name
        for name, member in inspect.getmembers(module, inspect.isclass)
        if issubclass(member, LabelStudioMLBase) and member is not LabelStudioMLBase
    ]

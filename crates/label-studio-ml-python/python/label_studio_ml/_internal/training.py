"""Calls `fit` of a model, also with the arguments of backends for the releases 1.0.x of the Python
original.
"""

from __future__ import annotations

import inspect
import os
import time
from typing import Any

from ..model import TRAIN_OUTPUT, LabelStudioMLBase, set_job
from . import encoding
from .jobs import CURRENT

_FIRST_PARAMETERS_OF_1_0 = {"annotations", "completions", "tasks"}


def fit(model: LabelStudioMLBase, event: str, data: dict[str, Any]) -> Any:
    """Trains a model, whose `job` is the current one, and stores a result that is an object as its
    `train_output`.
    """
    with set_job(model, CURRENT.get()):
        if _is_as_in_1_0(model):
            result = _fit_as_in_1_0(model, event, data)
        else:
            result = model.fit(event, data)
    if result and isinstance(result, dict):
        try:
            text = encoding.dumps(result).decode()
        except (TypeError, ValueError):
            return result
        model.set(TRAIN_OUTPUT, text)
    return result


def _is_as_in_1_0(model: LabelStudioMLBase) -> bool:
    try:
        parameters = inspect.signature(model.fit).parameters
    except (TypeError, ValueError):
        return False
    return next(iter(parameters), "") in _FIRST_PARAMETERS_OF_1_0


def _fit_as_in_1_0(model: Any, event: str, data: dict[str, Any]) -> Any:
    folder = os.path.join(
        os.environ.get("MODEL_DIR") or ".", model.project_id, str(int(time.time()))
    )
    os.makedirs(folder, exist_ok=True)
    arguments = {"workdir": folder, "event": event, "data": data}
    parameters = inspect.signature(model.fit).parameters
    if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        arguments = {name: value for name, value in arguments.items() if name in parameters}
    # The event has the annotation; the list was empty for events in those releases, too.
    return model.fit((), **arguments)

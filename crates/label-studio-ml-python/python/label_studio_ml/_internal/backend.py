"""Finds the model class of a backend, as the Python original does."""

from __future__ import annotations

import importlib.util
import inspect
import logging
import os
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any, NamedTuple

from .. import api
from .. import model as _model
from ..model import LabelStudioMLBase
from .app import App, warn_of_middleware
from .custom_routes import Wsgi
from .model_classes import leaves, models_of

logger = logging.getLogger(__name__)

_WSGI = "_wsgi.py"
_MODEL = "model.py"


class ModelNotFound(Exception):
    """No model class was found, or more than one."""


class Backend(NamedTuple):
    """A model class and its app."""

    model_class: type[LabelStudioMLBase]
    app: Wsgi
    """Answers custom routes."""


def load(target: str, params: dict[str, Any], basic_auth: Sequence[str] | None = None) -> Backend:
    """Imports a backend; objects of its model class get `params` as further arguments.

    `target` is a folder with `_wsgi.py` or `model.py`, a file, or `file.py:Class`.
    """
    path, class_name = _split(target)
    app: Wsgi = api._server
    if os.path.isdir(path):
        model_class, app = _of_folder(path, basic_auth)
    elif os.path.isfile(path):
        model_class = _of_module(_import(path), class_name)
    else:
        raise ModelNotFound(f"there is no {path}")
    log_extensions(app)
    return Backend(_with_params(model_class, params), app)


def log_extensions(app: Wsgi) -> None:
    """Logs how the server treats routes, hooks and middleware of an app, if there are any."""
    if isinstance(app, App):
        app.log_extensions(logger)
    else:
        warn_of_middleware(logger)


def describe(error: BaseException) -> str:
    """Returns the error in one line, with a fix where one is known."""
    if isinstance(error, ModelNotFound):
        return str(error)
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, ModuleNotFoundError):
        text += "; install what the model needs, such as with pip install -r requirements.txt"
    return text


def _split(target: str) -> tuple[str, str | None]:
    path, separator, class_name = target.rpartition(".py:")
    return (f"{path}.py", class_name) if separator else (target, None)


def _of_folder(folder: str, basic_auth: Sequence[str] | None) -> Backend:
    wsgi = os.path.join(folder, _WSGI)
    if not os.path.isfile(wsgi):
        model = os.path.join(folder, _MODEL)
        if not os.path.isfile(model):
            raise ModelNotFound(f"{folder} has neither {_WSGI} nor {_MODEL}")
        return Backend(_of_module(_import(model), None), api._server)
    module = _import(wsgi)
    app = api._server
    if app.model_class is LabelStudioMLBase and not _has_functions():
        # The file creates the app only when it is run as a program.
        return Backend(_of_module(module, None), app)
    if app.basic_auth is not None and app.basic_auth != tuple(basic_auth or ()):
        raise ModelNotFound(
            f"{wsgi} sets a user and a password, which the server does not know; "
            "give them as BASIC_AUTH_USER and BASIC_AUTH_PASS"
        )
    outer: Any = getattr(module, "app", app)
    # An app of another type wraps ours, as `DispatcherMiddleware` does.
    is_wsgi = (
        callable(outer)
        and not inspect.isclass(outer)
        and not inspect.iscoroutinefunction(type(outer).__call__)
    )
    return Backend(app.model_class, outer if is_wsgi else app)


def _import(path: str) -> ModuleType:
    folder, file_name = os.path.split(os.path.abspath(path))
    if folder not in sys.path:
        sys.path.insert(0, folder)
    name = os.path.splitext(file_name)[0]
    if name in sys.modules:
        name = f"label_studio_ml_backend_{name}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ModelNotFound(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _of_module(module: ModuleType, class_name: str | None) -> type[LabelStudioMLBase]:
    if class_name is not None:
        models = models_of(module, LabelStudioMLBase)
        if class_name not in models:
            raise ModelNotFound(
                f"{module.__file__} has no model class {class_name}; "
                f"it has {_names(list(models.values()))}"
            )
        return models[class_name]
    candidates = list(leaves(module, LabelStudioMLBase).values())
    if len(candidates) == 1:
        return candidates[0]
    if not candidates and _has_functions():
        return LabelStudioMLBase
    if not candidates:
        raise ModelNotFound(f"{module.__file__} has no class that inherits from LabelStudioMLBase")
    raise ModelNotFound(
        f"{module.__file__} has several model classes: {_names(candidates)}; "
        f"name one, as in {module.__file__}:{candidates[0].__name__}"
    )


def _names(models: list[type[LabelStudioMLBase]]) -> str:
    return ", ".join(model_class.__name__ for model_class in models) or "none"


def _has_functions() -> bool:
    return _model._predict_fn is not None or _model._update_fn is not None


def _with_params(
    model_class: type[LabelStudioMLBase], params: dict[str, Any]
) -> type[LabelStudioMLBase]:
    """Returns a subclass that passes those of `params` to the constructor which it accepts."""
    accepted = inspect.signature(model_class.__init__).parameters
    takes_all = any(parameter.kind is parameter.VAR_KEYWORD for parameter in accepted.values())
    used = {name: value for name, value in params.items() if takes_all or name in accepted}
    for name in sorted(params.keys() - used.keys()):
        logger.warning("%s has no parameter %s; it is ignored", model_class.__name__, name)
    if not used:
        return model_class

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        model_class.__init__(self, *args, **{**used, **kwargs})

    names = {
        "__init__": __init__,
        "__module__": model_class.__module__,
        "__qualname__": model_class.__qualname__,
    }
    metaclass: Any = type(model_class)
    with_params: type[LabelStudioMLBase] = metaclass(model_class.__name__, (model_class,), names)
    return with_params

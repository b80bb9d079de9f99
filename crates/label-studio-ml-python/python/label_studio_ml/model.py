"""The base class of models, and the decorators for models without a class."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import json
import logging
import multiprocessing as mp
import os
import sys
from abc import ABC
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Callable

from ._internal import label_config as _label_config
from ._internal import model_classes as _model_classes
from ._internal._native import bump_model_version
from ._internal.jobs import NO_JOB
from .cache import create_cache
from .job import Job
from .response import ModelResponse
from .utils import is_preload_needed

if TYPE_CHECKING:
    from label_studio_sdk.label_interface.interface import LabelInterface
    from semver import Version

logger = logging.getLogger(__name__)

CACHE = create_cache(os.getenv("CACHE_TYPE", "sqlite"), path=os.getenv("MODEL_DIR", "."))

_SDK = {
    "LabelStudio": "label_studio_sdk",
    "LabelInterface": "label_studio_sdk.label_interface",
    "parse_config": "label_studio_sdk._extensions.label_studio_tools.core.label_config",
    "get_local_path": "label_studio_sdk._extensions.label_studio_tools.core.utils.io",
    "Version": "semver",
}

TRAIN_OUTPUT = "train_output"
"""Key of the result of the last training."""

_predict_fn: Callable[..., Any] | None = None
_update_fn: Callable[..., Any] | None = None


def __getattr__(name: str) -> Any:
    # The SDK takes a second to import, so its names are imported at first use.
    if name not in _SDK:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_SDK[name]), name)
    globals()[name] = value
    return value


def predict_fn(f: Callable[..., Any]) -> Callable[..., Any]:
    """Registers a prediction function, called with tasks, context, helper (the model) and further
    params.
    """
    global _predict_fn
    _predict_fn = f
    logger.info('Predict function "%s" registered', f.__name__)
    return f


def update_fn(f: Callable[..., Any]) -> Callable[..., Any]:
    """Registers a training function, called with event, data, helper (the model) and further
    params.
    """
    global _update_fn
    _update_fn = f
    logger.info('Update function "%s" registered', f.__name__)
    return f


class _JobOfModel:
    """The attribute `job`. It has no setter, so that a model may have an attribute of that name."""

    KEY = "job of the current call"
    """Where an object keeps it: no name of an attribute, so that it collides with none."""

    def __get__(self, model: Any, _: Any = None) -> Job:
        job: Job = NO_JOB if model is None else vars(model).get(self.KEY, NO_JOB)
        return job


@contextlib.contextmanager
def set_job(model: LabelStudioMLBase, job: Job) -> Iterator[None]:
    """Makes a job the one of an object."""
    vars(model)[_JobOfModel.KEY] = job
    try:
        yield
    finally:
        vars(model).pop(_JobOfModel.KEY, None)


class LabelStudioMLBase(ABC):
    """A model for one project under one label config. Subclasses override `setup`, `predict` and
    `fit`.

    An object serves one call at a time and is kept for later calls of the project, until a training
    ends, the extra params or the model version change, or MODEL_INSTANCES other objects were used
    since.
    """

    INITIAL_MODEL_VERSION = "0.0.1"

    TRAIN_EVENTS = (
        "ANNOTATION_CREATED",
        "ANNOTATION_UPDATED",
        "ANNOTATION_DELETED",
        "START_TRAINING",
    )

    label_interface: LabelInterface

    job = _JobOfModel()
    """The job that `fit` runs as: takes its progress and log, and says whether to go on. Elsewhere
    one that does nothing.
    """

    def __init__(
        self,
        project_id: str | None = None,
        label_config: str | None = None,
        train_output: dict[str, Any] | None = None,
    ) -> None:
        self.project_id = project_id or ""
        if train_output is not None:
            self.train_output = train_output
        self._label_studio_client: Any = None
        if label_config is not None:
            self.use_label_config(label_config)
        else:
            logger.warning("Label config is not provided")
        if not self.get("model_version"):
            self.set("model_version", self.INITIAL_MODEL_VERSION)
        self.setup()

    def setup(self) -> None:  # noqa: B027  models may do without
        """Prepares the model: loads weights, sets `model_version`. Runs once per object."""

    def use_label_config(self, label_config: str) -> None:
        """Parses a label config and stores it."""
        self.label_interface = _label_config.interface(label_config, _sdk("LabelInterface"))
        if self.get("label_config") != label_config:
            self.set("label_config", label_config)
            self.set("parsed_label_config", json.dumps(_sdk("parse_config")(label_config)))

    def set_extra_params(self, extra_params: str) -> None:
        """Stores the extra params that a user entered for the backend, as JSON text."""
        self.set("extra_params", extra_params)

    @property
    def extra_params(self) -> Any:
        """The extra params that a user entered for the backend, {} if there are none."""
        params = self.get("extra_params")
        return json.loads(params) if params else {}

    def get(self, key: str) -> str | None:
        """Returns a stored text of the project, or None."""
        return CACHE[self.project_id, key]

    def set(self, key: str, value: str) -> None:
        """Stores a text for the project."""
        CACHE[self.project_id, key] = value

    def has(self, key: str) -> bool:
        """Returns whether the project has a stored text."""
        return (self.project_id, key) in CACHE

    @property
    def train_output(self) -> Any:
        """The last result of `fit` that was an object, {} if there is none."""
        if "train_output" in self.__dict__:
            return self.__dict__["train_output"]
        stored = self.get(TRAIN_OUTPUT)
        return json.loads(stored) if stored else {}

    @train_output.setter
    def train_output(self, train_output: Any) -> None:
        self.__dict__["train_output"] = train_output

    @property
    def label_config(self) -> str | None:
        """The label config, as XML."""
        return self.get("label_config")

    @property
    def parsed_label_config(self) -> dict[str, Any]:
        """The label config by control tag: type, object tags and labels."""
        parsed = self.get("parsed_label_config")
        return json.loads(parsed) if parsed else {}

    @property
    def model_version(self) -> Version | str | None:
        """The version that predictions are stored under."""
        version = self.get("model_version")
        if not version:
            return None
        try:
            parsed: Version = _sdk("Version").parse(version)
        except ValueError:
            return version
        return parsed

    def bump_model_version(self) -> Version | str | None:
        """Raises the minor number of the model version, under which predictions are stored."""
        old = self.get("model_version") or self.INITIAL_MODEL_VERSION
        self.set("model_version", bump_model_version(old))
        logger.debug(
            "Model version of project %s: %s after %s",
            self.project_id,
            self.get("model_version"),
            old,
        )
        return self.model_version

    def predict(
        self, tasks: list[dict[str, Any]], context: dict[str, Any] | None = None, **kwargs: Any
    ) -> list[dict[str, Any]] | ModelResponse | None:
        """Returns one prediction per task, in order."""
        if _predict_fn is None:
            return None
        predictions: list[dict[str, Any]] | ModelResponse | None = _predict_fn(
            tasks, context, helper=self, **kwargs
        )
        return predictions

    def process_event(
        self, event: str, data: dict[str, Any], job_id: Any, additional_params: dict[str, Any]
    ) -> Any:
        """Calls `fit` for training events."""
        if event not in self.TRAIN_EVENTS:
            return None
        logger.debug("Job %s: %s", job_id, event)
        return self.fit(event=event, data=data, job_id=job_id, **additional_params)

    def fit(self, event: str, data: dict[str, Any], **additional_params: Any) -> Any:
        """Trains on an annotation event. The return value is the job's result."""
        if _update_fn:
            return _update_fn(event, data, helper=self, **additional_params)
        return None

    def _get_label_studio_client(self) -> Any:
        if self._label_studio_client is None:
            url = os.getenv("LABEL_STUDIO_URL") or os.getenv("LABEL_STUDIO_HOST")
            try:
                self._label_studio_client = _sdk("LabelStudio")(base_url=url)
            except Exception as error:
                logger.warning("Label Studio at %s cannot be asked for a token: %s", url, error)
                self._label_studio_client = False
        return self._label_studio_client

    def get_label_studio_access_token(self) -> str | None:
        """Returns a token that Label Studio takes now: a legacy one, or a fresh access token."""
        client = self._get_label_studio_client()
        if client:
            token: str = client._client_wrapper._tokens_client.api_key
            return token
        return os.getenv("LABEL_STUDIO_API_KEY") or os.getenv("LABEL_STUDIO_ACCESS_TOKEN")

    def get_local_path(
        self,
        url: str,
        project_dir: str | None = None,
        ls_host: str | None = None,
        ls_access_token: str | None = None,
        task_id: int | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> str:
        """Returns the local path of a file of a task, downloading it if needed.

        Host and token come from LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY if not given. Files in
        cloud storage need the task's id.
        """
        if ls_access_token is None:
            ls_access_token = self.get_label_studio_access_token()
        path: str = _sdk("get_local_path")(
            url,
            *args,
            project_dir=project_dir,
            hostname=ls_host,
            access_token=ls_access_token,
            task_id=task_id,
            **kwargs,
        )
        return path

    def preload_task_data(
        self, task: dict[str, Any], value: Any = None, read_file: bool = True
    ) -> Any:
        """Returns a value of a task with each address of a file replaced by the file's text, or by
        its path.
        """
        if isinstance(value, dict):
            for key, item in value.items():
                value[key] = self.preload_task_data(task=task, value=item, read_file=read_file)
            return value
        if isinstance(value, list):
            return [
                self.preload_task_data(task=task, value=item, read_file=read_file) for item in value
            ]
        if not isinstance(value, str) or not is_preload_needed(value):
            return value
        path = self.get_local_path(url=value, task_id=task.get("id"))
        if not read_file:
            return path
        # Tests of models, among them the original's, expect these arguments of a patched `open`.
        with open(path, "r") as file:  # noqa: UP015
            return file.read()

    def get_first_tag_occurence(
        self,
        control_type: str | tuple[str, ...],
        object_type: str | tuple[str, ...],
        name_filter: Callable[[str], bool] | None = None,
        to_name_filter: Callable[[str], bool] | None = None,
    ) -> tuple[str, str, str]:
        """Returns from_name, to_name and value of the first control tag of a type that labels an
        object of a type.

        Filters are called with a tag's name, and with the name in lower case as in the Python
        original.
        """
        return self.label_interface.get_first_tag_occurence(
            control_type=control_type,
            object_type=object_type,
            name_filter=_label_config.real_names(name_filter, self.label_interface),
            to_name_filter=_label_config.real_names(to_name_filter, self.label_interface),
        )

    def build_label_map(self, tag_name: str, names: list[str]) -> dict[str, str]:
        """Maps class names of the model to labels of a control tag.

        A label lists its class names in `predicted_values`, separated by commas. A label without
        them maps to the class of the same name, in any case.
        """
        names = list(names)
        by_lower_case = {name.lower(): name for name in reversed(names)}
        label_map: dict[str, str] = {}
        # The SDK has no types here.
        label_interface: Any = self.label_interface
        for label, tag in (label_interface.get_control(tag_name).labels_attrs or {}).items():
            listed = [name.strip() for name in tag.attr.get("predicted_values", "").split(",")]
            meant = [name for name in listed if name and name in names]
            if not meant:
                own_name = label if label in names else by_lower_case.get(label.lower())
                meant = [own_name] if own_name is not None else []
            label_map.update(dict.fromkeys(meant, label))
        return label_map


def get_all_classes_inherited_LabelStudioMLBase(script_file: str) -> list[str]:
    """Returns the names of the model classes in a Python file, and ends the program if it cannot be
    imported.
    """
    try:
        return _model_classes.model_names(script_file, LabelStudioMLBase)
    except ModuleNotFoundError as error:
        print(f"Can't import {script_file!r}, reason: {error}.", file=sys.stderr)
        sys.exit(-1)


def _sdk(name: str) -> Any:
    # Looked up in this module, where tests patch it.
    return getattr(sys.modules[__name__], name)


def _spawn_processes() -> None:
    # A forked process cannot use CUDA, which a model with torch may have initialised.
    if importlib.util.find_spec("torch") is None:
        return
    try:
        mp.set_start_method("spawn")
    except RuntimeError:
        logger.debug("the start method of processes is set already")


_spawn_processes()

"""Label Studio's requests to a model. Every way of serving calls `handle`."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from typing import Any, Callable

from .. import model as _model
from ..exceptions import AnswerException
from ..model import LabelStudioMLBase
from ..response import ModelResponse
from . import encoding, jobs
from .flask_bridge import FlaskRequest
from .instances import INSTANCES
from .label_config import parsed_interface
from .results import clean_result, clean_results
from .training import fit

logger = logging.getLogger(__name__)

Answer = tuple[int, bytes]

# Label Studio sends the plural, too; models know the singular.
_EVENTS = {event: event for event in LabelStudioMLBase.TRAIN_EVENTS}
_EVENTS["ANNOTATIONS_DELETED"] = "ANNOTATION_DELETED"
_EVENTS["ANNOTATIONS_CREATED"] = "ANNOTATION_CREATED"

# Modules that are imported only where they serve.
_SERVERS = ("gunicorn.arbiter", "mod_wsgi", "uwsgi", "waitress.runner")


def handle(
    model_class: type[LabelStudioMLBase],
    method: str,
    path: str,
    body: bytes,
    *,
    environ: dict[str, Any] | None = None,
    request_id: str = "",
    propagate: bool = False,
    debug: bool = False,
) -> Answer:
    """Answers a request with a status and JSON. Exceptions of the model become error answers, even
    `SystemExit`.

    `environ` is the WSGI environment, if the request came through WSGI. With `propagate`,
    exceptions of `/webhook` reach the caller; with `debug`, error answers include the traceback.
    """
    methods = ROUTES.get(path)
    if methods is None:
        return failure(404, f"there is no {path}", request_id)
    route = methods.get(method)
    if route is None:
        return failure(405, f"{path} does not take {method}", request_id)
    try:
        with FlaskRequest(environ, method, path, body):
            return route(model_class, body)
    except BadRequest as error:
        return failure(400, str(error), request_id)
    except AnswerException as error:
        logger.error("%s failed; request %s", path, request_id, exc_info=True)
        return error.answer.status_code, error.answer.data
    except (Exception, SystemExit) as error:
        answered = _answered_error(error) if path == "/webhook" else None
        if answered is not None:
            logger.warning("%s: %s; request %s", path, error, request_id)
            return failure(*answered, request_id)
        if propagate and path == "/webhook":
            raise
        logger.error("%s failed; request %s", path, request_id, exc_info=True)
        trace = traceback.format_exc()
        if environ is not None:
            # As in the Python original, whose users' tests read it there.
            print(trace)
        return failure(
            500, f"{type(error).__name__}: {error}", request_id, trace if debug else None
        )


def answer(
    model_class: type[LabelStudioMLBase],
    path: str,
    body: bytes,
    request_id: str,
    link: jobs.Link | None = None,
) -> Answer:
    """Answers a POST request that came without WSGI, whatever the model raises. A training has a
    link to its job.
    """
    try:
        if link is None:
            return handle(model_class, "POST", path, body, request_id=request_id)
        with jobs.working_on(link):
            return handle(model_class, "POST", path, body, request_id=request_id)
    except BaseException as error:
        # Such as KeyboardInterrupt; the thread must continue.
        logger.critical("%s failed; request %s", path, request_id, exc_info=True)
        return failure(500, f"{type(error).__name__}: {error}", request_id)


def failure(status: int, detail: str, request_id: str, trace: str | None = None) -> Answer:
    """Returns an error answer."""
    body: dict[str, Any] = {"status": status, "detail": detail, "request_id": request_id}
    if trace is not None:
        body["result"] = {"traceback": trace}
    return status, encoding.dumps(body)


def runs_in_server() -> bool:
    """Returns whether this process is a WSGI server, or the Flask command, that imports the app to
    serve it.
    """
    return (
        any(name in sys.modules for name in _SERVERS)
        or os.environ.get("FLASK_RUN_FROM_CLI") == "true"
    )


def warm_up() -> None:
    """Imports the parts of the SDK that the first call needs, which takes about a second."""
    import label_studio_sdk.label_interface.objects  # noqa: F401


class BadRequest(Exception):
    """A required field is missing, or a field has the wrong type."""


def _health(model_class: type[LabelStudioMLBase], _: bytes) -> Answer:
    return 200, encoding.dumps({"model_class": model_class.__name__, "status": "UP"})


def _predict(model_class: type[LabelStudioMLBase], body: bytes) -> Answer:
    request = _read(body)
    tasks = _tasks(request.get("tasks"))
    params = _params(request.get("params"))
    context = params.pop("context", {})
    with INSTANCES.lease(
        model_class, _project_id(request.get("project")), _label_config(request, "label_config")
    ) as model:
        response = model.predict(tasks, context=context, **params)
        if isinstance(response, ModelResponse):
            results = _results_of(response, model)
        else:
            results = clean_results(response)
        return 200, encoding.dumps({"results": results})


def _setup(model_class: type[LabelStudioMLBase], body: bytes) -> Answer:
    request = _read(body)
    if request.get("project") is None:
        raise BadRequest("the request has no project")
    extra_params = request.get("extra_params")
    with INSTANCES.lease(
        model_class, _project_id(request["project"]), _label_config(request, "schema")
    ) as model:
        if extra_params:
            if not isinstance(extra_params, str):
                extra_params = encoding.dumps(extra_params).decode()
            model.set_extra_params(extra_params)
        return 200, encoding.dumps({"model_version": _version(model)})


def _webhook(model_class: type[LabelStudioMLBase], body: bytes) -> Answer:
    data = _read(body)
    action = data.pop("action", None)
    event = _EVENTS.get(action) if isinstance(action, str) else None
    if event is None:
        return 200, encoding.dumps({"status": "Unknown event"})
    project = data.get("project")
    if not isinstance(project, dict) or project.get("id") is None:
        raise BadRequest("the event has no project.id")
    project_id = _project_id(project["id"])
    label_config = _label_config(project, "label_config")
    if label_config is None:
        label_config = _model.CACHE[project_id, "label_config"]
    events = _events_of(data)
    if not events:
        return 201, encoding.dumps({"result": None, "status": "ok"})
    *others, last = events
    for number, other in enumerate(others):
        try:
            _fit(model_class, project_id, label_config, event, other)
        except Exception:
            # Each is a separate event; the answer is that of the last one.
            logger.exception("%s %d of %d failed", event, number + 1, len(others) + 1)
    result = _fit(model_class, project_id, label_config, event, last)
    try:
        return 201, encoding.dumps({"result": result, "status": "ok"})
    except (TypeError, ValueError) as error:
        return 201, encoding.dumps({"error": str(error), "status": "error"})


def _fit(
    model_class: type[LabelStudioMLBase],
    project_id: str,
    label_config: str | None,
    event: str,
    data: dict[str, Any],
) -> Any:
    with INSTANCES.lease(model_class, project_id, label_config) as model:
        try:
            return fit(model, event, data)
        finally:
            if _trains(model):
                INSTANCES.fitted(project_id)


def _events_of(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Returns the events of a body. Accepting predictions of many tasks at once sends one body with
    lists of annotations and tasks; it is one event for each annotation.
    """
    annotations = data.get("annotation")
    if not isinstance(annotations, list):
        return [data]
    tasks = data.get("task")
    tasks = tasks if isinstance(tasks, list) else [tasks]
    ids = [task.get("id") if isinstance(task, dict) else None for task in tasks]

    def task_of(annotation_idx: int, annotation: Any) -> Any:
        named = annotation.get("task") if isinstance(annotation, dict) else None
        if named is not None and named in ids:
            return tasks[ids.index(named)]
        return tasks[annotation_idx] if annotation_idx < len(tasks) else None

    return [
        {**data, "annotation": annotation, "task": task_of(annotation_idx, annotation)}
        for annotation_idx, annotation in enumerate(annotations)
    ]


_Route = Callable[[type[LabelStudioMLBase], bytes], Answer]

ROUTES: dict[str, dict[str, _Route]] = {
    "/": {"GET": _health},
    "/health": {"GET": _health},
    "/predict": {"POST": _predict},
    "/setup": {"POST": _setup},
    "/webhook": {"POST": _webhook},
}


def _answered_error(error: BaseException) -> tuple[int, str] | None:
    """Returns status and text of an error that Flask would answer without a failure: of `abort`, or
    a missing file.
    """
    if isinstance(error, FileNotFoundError):
        return 404, str(error)
    exceptions: Any = sys.modules.get("werkzeug.exceptions")
    if exceptions is None or not isinstance(error, exceptions.HTTPException):
        return None
    response: Any = error.get_response()
    if response.status_code < 400:
        return None
    return response.status_code, error.description or response.get_data(as_text=True)


def _version(model: LabelStudioMLBase) -> str | None:
    """Returns the version for predictions, which a class may override with an attribute or a
    property.
    """
    if type(model).model_version is LabelStudioMLBase.model_version:
        # Read as text, which is faster than parsing it first.
        return model.get("model_version")
    version = model.model_version
    return str(version) if version else model.get("model_version")


def _trains(model: LabelStudioMLBase) -> bool:
    return type(model).fit is not LabelStudioMLBase.fit or _model._update_fn is not None


def _read(body: bytes) -> dict[str, Any]:
    try:
        request = encoding.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"the body is not JSON: {error}") from error
    if not isinstance(request, dict):
        raise BadRequest("the body is not a JSON object")
    return request


def _tasks(tasks: Any) -> list[dict[str, Any]]:
    if tasks is None:
        return []
    if isinstance(tasks, dict):
        return [tasks]
    if not isinstance(tasks, list):
        raise BadRequest("tasks is not a list")
    for task_idx, task in enumerate(tasks):
        if not isinstance(task, dict):
            raise BadRequest(f"task {task_idx} is not an object")
    return tasks


def _params(params: Any) -> dict[str, Any]:
    if params is None:
        return {}
    if not isinstance(params, dict):
        raise BadRequest("params is not an object")
    if "tasks" in params:
        raise BadRequest("params cannot hold tasks; they belong beside it")
    return dict(params)


def _label_config(holder: dict[str, Any], name: str) -> str | None:
    label_config = holder.get(name)
    if label_config is None:
        return None
    if not isinstance(label_config, str):
        raise BadRequest(f"{name} is not a text")
    try:
        parsed_interface(label_config, _model._sdk("LabelInterface"))
    except Exception as error:
        raise BadRequest(f"{name} is no label config: {error}") from error
    return label_config


def _project_id(project: Any) -> str:
    if isinstance(project, (dict, list)):
        raise BadRequest("project is not an id")
    return str(project).split(".", 1)[0]


def _results_of(response: ModelResponse, model: LabelStudioMLBase) -> Any:
    if response.has_model_version():
        response.update_predictions_version()
    else:
        version = _version(model)
        if version:
            response.set_version(version)
    if type(response).model_dump is ModelResponse.model_dump:
        return [clean_result(entry) for entry in response.predictions]
    return clean_results(response.model_dump())

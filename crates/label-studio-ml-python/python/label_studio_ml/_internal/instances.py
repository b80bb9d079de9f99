"""Model objects that are kept between calls."""

from __future__ import annotations

import logging
import os
import uuid
from collections import OrderedDict
from threading import Lock
from typing import Any, Optional

from .. import model as _model
from ..model import LabelStudioMLBase
from .label_config import Watch

logger = logging.getLogger(__name__)

# The Python original had as many at once: one per call on each of its threads.
DEFAULT_LIMIT = 8
LAST_FIT = "label_studio_ml:last_fit"

_Facts = dict[str, Optional[str]]
_Key = tuple[type[LabelStudioMLBase], str, Optional[str]]


class _Kept:
    __slots__ = ("facts", "model", "state", "watch")

    def __init__(self, model: LabelStudioMLBase, facts: _Facts) -> None:
        self.model = model
        self.facts = facts
        self.watch = Watch(_label_interface(model))
        # State of the cache when it last held the facts.
        self.state: bytes | None = None


class Instances:
    """Idle model objects, kept for the next call of their project and label config.

    An object serves one call at a time, so models can keep state in it. It is replaced when a call
    failed or changed the label interface, and when something changed that its `setup` may have
    read: after a training, or when the extra params or the model version differ. With a limit of 0
    each call gets a new object.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._idle: OrderedDict[_Key, list[_Kept]] = OrderedDict()
        self._n_idle = 0
        self._lock = Lock()

    def lease(
        self, model_class: type[LabelStudioMLBase], project_id: str, label_config: str | None
    ) -> _Lease:
        """Leases an object for one call, the body of a `with`."""
        return _Lease(self, model_class, project_id, label_config)

    def forget(self) -> None:
        """Drops all objects."""
        with self._lock:
            self._idle.clear()
            self._n_idle = 0

    def fitted(self, project_id: str) -> None:
        """Makes every process replace its objects of a project, since a training may have changed
        what they loaded.
        """
        if self.limit > 0:
            _model.CACHE[project_id, LAST_FIT] = uuid.uuid4().hex

    def take(self, key: _Key) -> _Kept | None:
        """Takes an idle object that is still valid, if there is one."""
        while True:
            with self._lock:
                idle = self._idle.get(key)
                if not idle:
                    return None
                kept = idle.pop()
                self._n_idle -= 1
            if _still_holds(key[1], kept):
                return kept

    def put(self, key: _Key, kept: _Kept) -> None:
        """Keeps an object for the next call."""
        if getattr(kept.model, "_label_studio_client", None) is False:
            # Label Studio may be reachable again at the next call.
            kept.model._label_studio_client = None
        with self._lock:
            idle = self._idle.get(key)
            if idle is None:
                idle = self._idle[key] = []
            idle.append(kept)
            self._idle.move_to_end(key)
            self._n_idle += 1
            # A key without objects only records when they were last used.
            while self._n_idle > self.limit or len(self._idle) > self.limit:
                oldest = next(iter(self._idle))
                if self._idle[oldest]:
                    self._idle[oldest].pop(0)
                    self._n_idle -= 1
                if not self._idle[oldest]:
                    del self._idle[oldest]


class _Lease:
    __slots__ = ("_instances", "_kept", "_key")

    def __init__(
        self,
        instances: Instances,
        model_class: type[LabelStudioMLBase],
        project_id: str,
        label_config: str | None,
    ) -> None:
        self._instances = instances
        self._key: _Key = (model_class, project_id, label_config)
        self._kept: _Kept | None = None

    def __enter__(self) -> LabelStudioMLBase:
        model_class, project_id, label_config = self._key
        if self._instances.limit <= 0:
            return model_class(project_id=project_id, label_config=label_config)
        kept = self._instances.take(self._key)
        if kept is None:
            facts = _read_facts(project_id)
            model = model_class(project_id=project_id, label_config=label_config)
            facts["model_version"] = _model.CACHE[project_id, "model_version"]
            if label_config is not None:
                facts["label_config"] = label_config
            kept = _Kept(model, facts)
        self._kept = kept
        return kept.model

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        kept = self._kept
        if (
            kept is not None
            and kind is None
            and not kept.watch.changed(_label_interface(kept.model))
        ):
            self._instances.put(self._key, kept)


def _label_interface(model: LabelStudioMLBase) -> Any:
    return getattr(model, "label_interface", None)


def _read_facts(project_id: str) -> _Facts:
    return {key: _model.CACHE[project_id, key] for key in (LAST_FIT, "extra_params")}


def _still_holds(project_id: str, kept: _Kept) -> bool:
    cache: Any = _model.CACHE
    if not hasattr(cache, "holds"):
        return all(cache[project_id, key] == value for key, value in kept.facts.items())
    # Read first, so that a write in between is noticed next time.
    state = cache.state()
    if state is not None and state == kept.state:
        return True
    if not cache.holds(project_id, kept.facts):
        return False
    kept.state = state
    return True


def _limit() -> int:
    text = os.environ.get("MODEL_INSTANCES", "").strip()
    try:
        return int(text) if text else DEFAULT_LIMIT
    except ValueError:
        logger.warning(
            "MODEL_INSTANCES is %r, not a number; %d objects are kept", text, DEFAULT_LIMIT
        )
        return DEFAULT_LIMIT


INSTANCES = Instances(_limit())

"""Model objects that are kept between calls."""

from __future__ import annotations

import contextlib
import logging
import os
import uuid
from collections import OrderedDict
from threading import Lock
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Type

from . import model as _model
from ._label_config import Watch
from .model import LabelStudioMLBase

logger = logging.getLogger(__name__)

# As many as were alive at once in the Python original, which made one for each call on each of its threads.
DEFAULT_LIMIT = 8
LAST_FIT = "label_studio_ml:last_fit"

_Facts = Dict[str, Optional[str]]


class _Kept(NamedTuple):
    model: LabelStudioMLBase
    facts: _Facts
    watch: Watch


class Instances:
    """Model objects that wait for the next call of their project and label config.

    An object serves one call at a time, so that models may keep what they like in it. It is made anew when a call
    failed or changed the label interface, and when something changed that its `setup` may have looked at: a training
    ended, the extra params or the model version are others. With a limit of 0 each call gets a new object.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._waiting: "OrderedDict[tuple, List[_Kept]]" = OrderedDict()
        self._lock = Lock()

    @contextlib.contextmanager
    def lend(
        self, model_class: Type[LabelStudioMLBase], project_id: str, label_config: Optional[str]
    ) -> Iterator[LabelStudioMLBase]:
        """Lends an object for one call."""
        if self.limit <= 0:
            yield model_class(project_id=project_id, label_config=label_config)
            return
        key = (model_class, project_id, label_config)
        kept = self._take(key, project_id)
        if kept is None:
            facts = _read_facts(project_id)
            model = model_class(project_id=project_id, label_config=label_config)
            facts["model_version"] = _model.CACHE[project_id, "model_version"]
            if label_config is not None:
                facts["label_config"] = label_config
            kept = _Kept(model, facts, Watch(_label_interface(model)))
        yield kept.model
        if not kept.watch.changed(_label_interface(kept.model)):
            self._put(key, kept)

    def forget(self) -> None:
        """Drops all objects."""
        with self._lock:
            self._waiting.clear()

    def fitted(self, project_id: str) -> None:
        """Has every process make new objects for a project, since a training may have changed what they loaded."""
        if self.limit > 0:
            _model.CACHE[project_id, LAST_FIT] = uuid.uuid4().hex

    def _take(self, key: tuple, project_id: str) -> Optional[_Kept]:
        while True:
            with self._lock:
                waiting = self._waiting.get(key)
                if not waiting:
                    return None
                kept = waiting.pop()
                if waiting:
                    self._waiting.move_to_end(key)
                else:
                    del self._waiting[key]
            if _still_holds(project_id, kept.facts):
                return kept

    def _put(self, key: tuple, kept: _Kept) -> None:
        if getattr(kept.model, "_label_studio_client", None) is False:
            # Label Studio may be back at the next call.
            kept.model._label_studio_client = None
        with self._lock:
            self._waiting.setdefault(key, []).append(kept)
            self._waiting.move_to_end(key)
            n_waiting = sum(map(len, self._waiting.values()))
            for _ in range(n_waiting - self.limit):
                oldest = next(iter(self._waiting))
                self._waiting[oldest].pop(0)
                if not self._waiting[oldest]:
                    del self._waiting[oldest]


def _label_interface(model: LabelStudioMLBase) -> Any:
    return getattr(model, "label_interface", None)


def _read_facts(project_id: str) -> _Facts:
    return {key: _model.CACHE[project_id, key] for key in (LAST_FIT, "extra_params")}


def _still_holds(project_id: str, facts: _Facts) -> bool:
    cache: Any = _model.CACHE
    if hasattr(cache, "holds"):
        return cache.holds(project_id, facts)
    return all(cache[project_id, key] == value for key, value in facts.items())


def _limit() -> int:
    text = os.environ.get("MODEL_INSTANCES", "").strip()
    try:
        return int(text) if text else DEFAULT_LIMIT
    except ValueError:
        logger.warning("MODEL_INSTANCES is %r, not a number; %d objects are kept", text, DEFAULT_LIMIT)
        return DEFAULT_LIMIT


INSTANCES = Instances(_limit())

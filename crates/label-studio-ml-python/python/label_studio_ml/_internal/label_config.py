"""Label interfaces: each label config is parsed once, and each model object gets a copy that it may
change.
"""

from __future__ import annotations

import copy
import functools
from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Any, Callable

if TYPE_CHECKING:
    from label_studio_sdk.label_interface.interface import LabelInterface

MAX_LABEL_CONFIGS = 64

_interfaces: OrderedDict[tuple[type[LabelInterface], str], LabelInterface] = OrderedDict()
_lock = Lock()


def interface(label_config: str, parse: type[LabelInterface]) -> LabelInterface:
    """Returns the label interface of a label config, a new copy that the caller may change."""
    copied: LabelInterface = _copy(parsed_interface(label_config, parse), {})
    return copied


def parsed_interface(label_config: str, parse: type[LabelInterface]) -> LabelInterface:
    """Returns the shared label interface of a label config, which must not be changed; it is parsed
    at the first use.
    """
    key = (parse, label_config)
    with _lock:
        known = _interfaces.get(key)
        if known is not None:
            _interfaces.move_to_end(key)
    if known is None:
        known = parse(config=label_config)
        with _lock:
            _interfaces[key] = known
            while len(_interfaces) > MAX_LABEL_CONFIGS:
                _interfaces.popitem(last=False)
    return known


class Watch:
    """Detects changes to a label interface."""

    def __init__(self, label_interface: Any) -> None:
        self._label_interface = label_interface
        self._live: list[Any] = []
        self._computed: list[frozenset[str]] = []
        self._collect(label_interface, set())
        self._before = [copy.copy(container) for container in self._live]

    def changed(self, label_interface: Any) -> bool:
        """Returns whether this is another label interface, or anything in it differs from the
        start.
        """
        if label_interface is not self._label_interface:
            return True
        # Unchanged values are the same objects, which makes this one quick comparison.
        if self._live == self._before:
            return False
        for live, before, computed in zip(self._live, self._before, self._computed):
            if live != before and not _differ_in(live, before, computed):
                return True
        self._before = [copy.copy(container) for container in self._live]
        return False

    def _collect(self, value: Any, seen: set[int]) -> None:
        if isinstance(value, (str, type)) or value is None or id(value) in seen:
            return
        computed: frozenset[str] = frozenset()
        container: Any = value
        items: list[Any] = []
        if isinstance(value, dict):
            items = list(value.values())
        elif isinstance(value, list):
            items = value
        elif isinstance(value, set):
            pass
        elif _is_of_sdk(value):
            container, items = vars(value), list(vars(value).values())
            computed = _cached_properties(type(value))
        else:
            return
        seen.add(id(value))
        self._live.append(container)
        self._computed.append(computed)
        for item in items:
            self._collect(item, seen)


def real_names(
    accept: Callable[[str], bool] | None, label_interface: Any
) -> Callable[[str], bool] | None:
    """Returns a filter for the SDK, which passes names in lower case: it tries the name as written,
    too.
    """
    if accept is None:
        return None
    names = [tag.name for tag in [*label_interface.controls, *label_interface.objects]]
    return lambda lower: (
        accept(lower) or any(accept(name) for name in names if name.lower() == lower)
    )


def _is_of_sdk(value: Any) -> bool:
    return type(value).__module__.startswith("label_studio_sdk.label_interface")


_cached_property_names: dict[type, frozenset[str]] = {}


def _cached_properties(kind: type) -> frozenset[str]:
    if kind not in _cached_property_names:
        members = ((name, getattr(kind, name, None)) for name in dir(kind))
        names = frozenset(
            name for name, member in members if isinstance(member, functools.cached_property)
        )
        _cached_property_names[kind] = names
    return _cached_property_names[kind]


def _differ_in(live: Any, before: Any, names: frozenset[str]) -> bool:
    """Returns whether two dicts differ only in `names`, properties that the SDK computes at first
    use.
    """
    if not names:
        return False
    return all(
        key in names or (key in live and key in before and live[key] == before[key])
        for key in {*live, *before}
    )


def _copy(value: Any, copies: dict[int, Any]) -> Any:
    """Copies containers and tags and shares immutable values, which is much faster than a deep
    copy.
    """
    kind = type(value)
    if kind is str or value is None:
        return value
    known = copies.get(id(value))
    if known is not None:
        return known
    new: Any
    if isinstance(value, dict):
        new = copies[id(value)] = copy.copy(value)
        for key, item in value.items():
            new[key] = _copy(item, copies)
    elif kind is list:
        new = copies[id(value)] = []
        new.extend(_copy(item, copies) for item in value)
    elif kind is tuple:
        new = tuple(_copy(item, copies) for item in value)
    elif kind is set:
        new = set(value)
    elif _is_of_sdk(value):
        new = copies[id(value)] = copy.copy(value)
        vars(new).update({name: _copy(item, copies) for name, item in vars(value).items()})
    elif kind.__module__.startswith("lxml."):
        new = copy.deepcopy(value)
    else:
        new = value
    return new

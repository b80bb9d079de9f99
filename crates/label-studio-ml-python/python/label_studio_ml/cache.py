"""The cache: one text per project and key."""

from __future__ import annotations

import os
import weakref
from abc import ABC, abstractmethod
from typing import Any

from ._internal._native import Store

FILE_NAME = "cache.db"


class BaseCache(ABC):
    """Interface of a cache. Keys are pairs of a project id and a name."""

    def __init__(self, path: str) -> None:
        self.path = path

    @abstractmethod
    def __getitem__(self, project_id_key: tuple[Any, str]) -> str | None:
        """Returns the value, or None if there is none."""

    @abstractmethod
    def __setitem__(self, project_id_key: tuple[Any, str], value: str) -> None:
        """Stores a value."""

    @abstractmethod
    def __contains__(self, project_id_key: tuple[Any, str]) -> bool:
        """Returns whether there is a value."""

    @abstractmethod
    def __delitem__(self, project_id_key: tuple[Any, str]) -> None:
        """Removes a value."""


class SqliteCache(BaseCache):
    """A cache in an SQLite file, which several processes may share.

    Reads return what any process wrote last. Writing an unchanged value commits nothing.
    """

    def __init__(self, path: str, db_name: str = FILE_NAME) -> None:
        super().__init__(path)
        self.db_name = os.path.join(path, db_name)
        self._store = Store(self.db_name)
        _caches.add(self)

    def __getitem__(self, project_id_key: tuple[Any, str]) -> str | None:
        project_id, key = project_id_key
        return self._store.get(_text(project_id), _text(key))

    def __setitem__(self, project_id_key: tuple[Any, str], value: str) -> None:
        project_id, key = project_id_key
        if not isinstance(value, str):
            raise ValueError(f"Value must be a string, but {key!r} is a {type(value).__name__}")
        if project_id is None:
            raise ValueError(f"{key!r} needs a project id")
        if key is None:
            raise ValueError("a value needs a key")
        self._store.set(_text(project_id), _text(key), value)

    def __contains__(self, project_id_key: tuple[Any, str]) -> bool:
        return self[project_id_key] is not None

    def __delitem__(self, project_id_key: tuple[Any, str]) -> None:
        project_id, key = project_id_key
        self._store.remove(_text(project_id), _text(key))

    def state(self) -> bytes | None:
        """Returns a marker that each write by any process changes, None if unknown; faster than
        reading a value.
        """
        return self._store.state()

    def holds(self, project_id: Any, values: dict[str, str | None]) -> bool:
        """Returns whether all these keys of a project have these values."""
        return self._store.holds(_text(project_id), values)

    def _after_fork(self) -> None:
        # The parent's connection must be neither used nor closed in a child.
        _inherited.append(self._store)
        self._store = Store(self.db_name)


def create_cache(cache_type: str, path: str, **kwargs: Any) -> BaseCache:
    """Creates the cache that CACHE_TYPE names."""
    if cache_type == "sqlite":
        return SqliteCache(path, **kwargs)
    raise ValueError(f"Unsupported cache type: {cache_type}")


def _text(name: Any) -> str:
    return name if isinstance(name, str) else str(name)


def _reopen() -> None:
    for cache in list(_caches):
        cache._after_fork()


_caches: weakref.WeakSet[SqliteCache] = weakref.WeakSet()
_inherited: list[Store] = []
os.register_at_fork(after_in_child=_reopen)

"""The cache: one text per project and key, shared between processes."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from label_studio_ml.cache import BaseCache, SqliteCache, create_cache


def test_keeps_a_text_per_project_and_key(tmp_path: Path) -> None:
    cache = create_cache("sqlite", str(tmp_path), db_name="other.db")
    assert isinstance(cache, SqliteCache) and isinstance(cache, BaseCache)
    cache["1", "k"] = "old"
    cache["1", "k"] = "new"
    assert cache["1", "k"] == "new" and ("1", "k") in cache
    assert cache["2", "k"] is None and ("2", "k") not in cache
    del cache["1", "k"]
    del cache["1", "k"]
    assert ("1", "k") not in cache
    cache[1, 5] = "numbers are as good as their texts"  # type: ignore[index]
    assert cache["1", "5"] == cache[1, 5]  # type: ignore[index]
    assert os.path.exists(tmp_path / "other.db")


def test_takes_only_texts_and_known_types(tmp_path: Path) -> None:
    cache = create_cache("sqlite", str(tmp_path))
    with pytest.raises(ValueError, match="must be a string"):
        cache["1", "k"] = 1  # type: ignore[assignment]
    with pytest.raises(ValueError, match="project id"):
        cache[None, "k"] = "v"
    with pytest.raises(ValueError, match="Unsupported cache type: redis2"):
        create_cache("redis2", str(tmp_path))


def test_takes_over_a_file_of_the_original(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "cache.db") as connection:
        connection.execute(
            "CREATE TABLE cache (project_id TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, "
            "PRIMARY KEY (project_id, key))"
        )
        connection.execute("INSERT INTO cache VALUES ('1', 'model_version', 'v7')")
    connection.close()
    cache = create_cache("sqlite", str(tmp_path))
    assert cache["1", "model_version"] == "v7"
    cache["1", "model_version"] = "v8"
    assert cache["1", "model_version"] == "v8"


def n_commits(folder: Path) -> int:
    """Counts what other connections committed, as SQLite itself does."""
    return os.path.getsize(folder / "cache.db-wal")


def test_an_unchanged_value_commits_nothing(tmp_path: Path) -> None:
    cache = create_cache("sqlite", str(tmp_path))
    cache["1", "k"] = "v"
    before = n_commits(tmp_path)
    for _ in range(10):
        cache["1", "k"] = "v"
    assert n_commits(tmp_path) == before
    cache["1", "k"] = "w"
    assert n_commits(tmp_path) > before


def run_python(code: str, *args: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code, *args], check=True, capture_output=True, text=True
    ).stdout


def test_two_processes_never_read_stale_values(tmp_path: Path) -> None:
    cache = create_cache("sqlite", str(tmp_path))
    code = (
        "import sys; from label_studio_ml.cache import create_cache\n"
        "cache = create_cache('sqlite', sys.argv[1])\n"
        "print(cache['1', 'n']); cache['1', 'n'] = sys.argv[2]\n"
    )
    cache["1", "n"] = "0"
    for n in range(1, 4):
        assert run_python(code, str(tmp_path), str(n)) == f"{n - 1}\n"
        assert cache["1", "n"] == str(n), "what another process wrote is seen at once"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_process_has_a_connection_of_its_own(tmp_path: Path) -> None:
    cache = create_cache("sqlite", str(tmp_path))
    cache["1", "n"] = "0"

    def child(name: str) -> None:
        for n in range(50):
            cache[name, "n"] = str(n)
        os._exit(0 if cache["1", "n"] == "0" and cache[name, "n"] == "49" else 1)

    context = multiprocessing.get_context("fork")
    children = [context.Process(target=child, args=(name,)) for name in "abc"]
    for process in children:
        process.start()
    for process in children:
        process.join()
        assert process.exitcode == 0
    assert [cache[name, "n"] for name in "abc"] == ["49"] * 3


def test_threads_may_write_at_once(tmp_path: Path) -> None:
    cache = create_cache("sqlite", str(tmp_path))

    def write(name: str) -> None:
        for n in range(50):
            cache[name, "n"] = str(n)

    threads = [threading.Thread(target=write, args=(str(n),)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [cache[str(n), "n"] for n in range(4)] == ["49"] * 4


def test_says_what_is_wrong_with_the_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = create_cache("sqlite", str(tmp_path / "file"))
    with pytest.raises(OSError, match="MODEL_DIR"):
        cache["1", "k"]

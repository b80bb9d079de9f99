"""Reads `.env` and `.flaskenv`, as `app.run()` of Flask does, if python-dotenv is installed."""

from __future__ import annotations

import os


def load_env_files() -> None:
    """Sets variables from these files in the current folder or above it; variables that are set
    stay as they are.
    """
    if os.environ.get("FLASK_SKIP_DOTENV", "").lower() in ("1", "true", "yes"):
        return
    try:
        from dotenv import find_dotenv, load_dotenv
    except ImportError:
        return
    for name in (".env", ".flaskenv"):
        path = find_dotenv(name, usecwd=True)
        if path:
            load_dotenv(path)

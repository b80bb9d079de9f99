"""Serves models that use `predict_fn` and `update_fn` instead of a class."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

from .api import init_app
from .model import LabelStudioMLBase

app: Any | None = None


def run_ml_backend(port: int = 9090, host: str = "0.0.0.0", debug: bool = False) -> None:
    """Serves the registered functions until interrupted, through a public tunnel if flask-ngrok is
    installed.
    """
    global app
    logging.basicConfig(level=os.environ.get("LOG_LEVEL") or "INFO", stream=sys.stdout)
    app = init_app(model_class=LabelStudioMLBase)
    try:
        from flask_ngrok import run_with_ngrok
    except ImportError:
        pass
    else:
        run_with_ngrok(app)
    app.run(host=host, port=port, debug=debug)

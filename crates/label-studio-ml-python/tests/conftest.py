"""What all tests share: a cache per test, and a client for a model class."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Callable

# The package opens its cache when it is imported.
os.environ["MODEL_DIR"] = tempfile.mkdtemp(prefix="label-studio-ml-")
for name in (
    "BASIC_AUTH_USER",
    "BASIC_AUTH_PASS",
    "LABEL_STUDIO_URL",
    "LABEL_STUDIO_API_KEY",
    "MODEL_INSTANCES",
):
    os.environ.pop(name, None)

import pytest

from label_studio_ml import cache, model
from label_studio_ml._internal.instances import INSTANCES
from label_studio_ml._internal.test_client import TestClient, TestResponse
from label_studio_ml.api import init_app
from label_studio_ml.cache import BaseCache

# The fixtures of the same names.
ClientOf = Callable[..., TestClient]
Predict = Callable[..., TestResponse]

LABEL_CONFIG = """
<View>
  <Text name="text" value="$text"/>
  <Choices name="mood" toName="text">
    <Choice value="Happy"/>
    <Choice value="Sad"/>
  </Choices>
</View>
"""


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BaseCache:
    store = cache.create_cache("sqlite", str(tmp_path / "models"))
    monkeypatch.setattr(model, "CACHE", store)
    INSTANCES.forget()
    return store


@pytest.fixture
def client_of() -> Iterator[ClientOf]:
    """Makes a client for a model class; arguments go to `init_app`."""

    def make(model_class: type[model.LabelStudioMLBase], **kwargs: Any) -> TestClient:
        app = init_app(model_class, **kwargs)
        app.config.update(TESTING=False, DEBUG=False)
        return app.test_client()

    yield make
    init_app(model.LabelStudioMLBase)


@pytest.fixture
def predict() -> Predict:
    """Asks a client for predictions."""

    def ask(
        client: TestClient,
        tasks: Iterable[dict[str, Any]] = ({"id": 1, "data": {"text": "a"}},),
        label_config: str = LABEL_CONFIG,
        project: str = "1.2",
        **params: Any,
    ) -> TestResponse:
        body = {
            "tasks": list(tasks),
            "label_config": label_config,
            "project": project,
            "params": params,
        }
        return client.post("/predict", json=body)

    return ask

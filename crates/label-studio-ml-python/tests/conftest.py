"""What all tests share: a cache of their own, and a client for a model class."""

import os
import tempfile

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
from label_studio_ml.api import init_app

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
def store(tmp_path, monkeypatch):
    store = cache.create_cache("sqlite", str(tmp_path / "models"))
    monkeypatch.setattr(model, "CACHE", store)
    INSTANCES.forget()
    return store


@pytest.fixture
def client_of():
    """Makes a client for a model class; arguments go to `init_app`."""

    def make(model_class, **kwargs):
        app = init_app(model_class, **kwargs)
        app.config.update(TESTING=False, DEBUG=False)
        return app.test_client()

    yield make
    init_app(model.LabelStudioMLBase)


@pytest.fixture
def predict():
    """Asks a client for predictions."""

    def ask(
        client,
        tasks=({"id": 1, "data": {"text": "a"}},),
        label_config=LABEL_CONFIG,
        project="1.2",
        **params,
    ):
        body = {
            "tasks": list(tasks),
            "label_config": label_config,
            "project": project,
            "params": params,
        }
        return client.post("/predict", json=body)

    return ask

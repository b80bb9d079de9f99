"""Model objects are kept between calls, unless there is a reason to make them anew."""

from __future__ import annotations

import threading
from typing import Any, Callable

import pytest
from conftest import LABEL_CONFIG, ClientOf, Predict

from label_studio_ml._internal import instances
from label_studio_ml._internal.test_client import TestResponse
from label_studio_ml.cache import BaseCache
from label_studio_ml.model import LabelStudioMLBase

OTHER_CONFIG = LABEL_CONFIG.replace("Sad", "Angry")


@pytest.fixture
def counting() -> Any:
    """A model class that counts its objects and answers with their numbers."""

    class Model(LabelStudioMLBase):
        n_setups = 0

        def setup(self) -> None:
            type(self).n_setups += 1
            self.number = type(self).n_setups
            self.set("model_version", "v1")

        def predict(
            self, tasks: list[dict[str, Any]], context: dict[str, Any] | None = None, **kwargs: Any
        ) -> Any:
            if kwargs.get("fail"):
                raise ValueError("boo")
            mood = self.label_interface.get_control("mood")  # type: ignore[no-untyped-call]
            labels = list(mood.labels)
            return [self.number, labels, self.parsed_label_config["mood"]["labels"]]

        def fit(self, event: str, data: dict[str, Any], **kwargs: Any) -> Any:
            return self.number

    return Model


def number(response: TestResponse) -> Any:
    assert response.status_code == 200, response.text
    return response.json["results"][0]


def test_setup_runs_once_for_many_calls(
    client_of: ClientOf, predict: Predict, counting: Any
) -> None:
    client = client_of(counting)
    assert [number(predict(client)) for _ in range(5)] == [1] * 5
    assert client.post("/setup", json={"project": "1.9", "schema": LABEL_CONFIG}).json == {
        "model_version": "v1"
    }
    assert counting.n_setups == 1


def test_each_project_and_label_config_has_its_own(
    client_of: ClientOf, predict: Predict, counting: Any
) -> None:
    client = client_of(counting)
    assert number(predict(client)) == 1
    assert number(predict(client, project="2.2")) == 2
    assert number(predict(client, label_config=OTHER_CONFIG)) == 3
    assert number(predict(client, project="2.2")) == 2


def test_the_store_has_the_label_config_of_the_call(
    client_of: ClientOf, predict: Predict, counting: Any
) -> None:
    client = client_of(counting)
    for config, labels in [
        (LABEL_CONFIG, ["Happy", "Sad"]),
        (OTHER_CONFIG, ["Happy", "Angry"]),
    ] * 2:
        assert predict(client, label_config=config).json["results"][1:] == [labels, labels]


@pytest.mark.parametrize(
    "limit, objects", [(0, [1, 2, 3, 4, 5, 6]), (1, [1, 1, 2, 2, 3, 3]), (2, [1, 1, 2, 2, 1, 1])]
)
def test_the_limit_bounds_how_many_wait(
    client_of: ClientOf,
    predict: Predict,
    counting: Any,
    monkeypatch: pytest.MonkeyPatch,
    limit: int,
    objects: list[int],
) -> None:
    monkeypatch.setattr(instances.INSTANCES, "limit", limit)
    client = client_of(counting)
    assert [number(predict(client, project=project)) for project in "112211"] == objects


def test_a_failed_call_costs_the_object(
    client_of: ClientOf, predict: Predict, counting: Any
) -> None:
    client = client_of(counting)
    assert number(predict(client)) == 1
    assert predict(client, fail=True).status_code == 500
    assert number(predict(client)) == 2


@pytest.mark.parametrize("event", ["ANNOTATION_CREATED", "START_TRAINING"])
def test_a_training_makes_objects_anew(
    client_of: ClientOf, predict: Predict, counting: Any, event: str
) -> None:
    client = client_of(counting)
    assert number(predict(client)) == 1
    body = {"action": event, "project": {"id": 1, "label_config": LABEL_CONFIG}}
    assert client.post("/webhook", json=body).json["result"] == 1, (
        "the object at hand is used for it"
    )
    assert number(predict(client)) == 2


def test_events_that_nobody_learns_from_change_nothing(
    client_of: ClientOf, predict: Predict, counting: Any
) -> None:
    del counting.fit
    client = client_of(counting)
    client.post(
        "/webhook",
        json={"action": "START_TRAINING", "project": {"id": 1, "label_config": LABEL_CONFIG}},
    )
    assert number(predict(client)) == 1


@pytest.mark.parametrize("key", ["model_version", "extra_params"])
def test_facts_that_setup_may_have_read_make_objects_anew(
    client_of: ClientOf, predict: Predict, counting: Any, store: BaseCache, key: str
) -> None:
    client = client_of(counting)
    assert number(predict(client)) == 1
    store["1", key] = '"other"'
    assert number(predict(client)) == 2
    assert number(predict(client)) == 2


def test_an_object_serves_one_call_at_a_time(client_of: ClientOf, predict: Predict) -> None:
    both_inside = threading.Barrier(2, timeout=30)

    class Model(LabelStudioMLBase):
        def predict(
            self, tasks: list[dict[str, Any]], context: dict[str, Any] | None = None, **kwargs: Any
        ) -> Any:
            both_inside.wait()
            return [id(self)]

    client = client_of(Model)
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(predict(client).json["results"]))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers[0] != answers[1]


def append(model: Any) -> None:
    model.label_interface.get_control("mood").labels.append("Mine")


def replace(model: Any) -> None:
    model.label_interface.get_control("mood").labels = ["Mine"]


def remove(model: Any) -> None:
    model.label_interface._controls.pop("mood")


def exchange(model: Any) -> None:
    model.label_interface = LabelStudioMLBase(label_config=OTHER_CONFIG).label_interface


def deep(model: Any) -> None:
    model.label_interface.get_control("mood").labels_attrs["Happy"].attr["value"] = "Mine"


@pytest.mark.parametrize("spoil", [append, replace, remove, exchange, deep])
def test_a_model_that_changes_the_label_interface_spoils_no_later_call(
    client_of: ClientOf, predict: Predict, counting: Any, spoil: Callable[[Any], None]
) -> None:
    original = counting.predict

    def predicting(
        self: Any, tasks: list[dict[str, Any]], context: dict[str, Any] | None = None, **kwargs: Any
    ) -> Any:
        answer = original(self, tasks)
        attrs = [
            dict(tag.attr) for tag in self.label_interface.get_control("mood").labels_attrs.values()
        ]
        if kwargs.get("spoil"):
            spoil(self)
        return [*answer, attrs]

    counting.predict = predicting
    client = client_of(counting)
    first = predict(client, spoil=True).json["results"]
    second = predict(client).json["results"]
    assert first[1:] == second[1:]


def test_what_the_sdk_computes_late_is_no_change(
    client_of: ClientOf, predict: Predict, counting: Any
) -> None:
    original = counting.predict

    def predicting(
        self: Any, tasks: list[dict[str, Any]], context: dict[str, Any] | None = None, **kwargs: Any
    ) -> Any:
        assert getattr(self.label_interface, "ner_tags", []) == [], (
            "old releases of the SDK have none"
        )
        return original(self, tasks)

    counting.predict = predicting
    client = client_of(counting)
    assert [number(predict(client)) for _ in range(3)] == [1] * 3


def test_a_label_config_is_parsed_once(
    client_of: ClientOf, predict: Predict, monkeypatch: pytest.MonkeyPatch
) -> None:
    from label_studio_ml import model

    parsed = []
    real = model.LabelInterface  # type: ignore[attr-defined]

    class Counting(real):  # type: ignore[misc, valid-type]
        def __init__(self, config: Any, *args: Any, **kwargs: Any) -> None:
            parsed.append(config)
            super().__init__(config, *args, **kwargs)

    monkeypatch.setattr(model, "LabelInterface", Counting)
    monkeypatch.setattr(instances.INSTANCES, "limit", 0)
    client = client_of(LabelStudioMLBase)
    for project in "12311":
        assert predict(client, project=project).status_code == 200
    assert parsed == [LABEL_CONFIG]

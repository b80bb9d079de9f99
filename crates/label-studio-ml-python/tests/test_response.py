"""What models answer with, and how it is written."""

from __future__ import annotations

import datetime
import decimal
import json
import uuid
from typing import Any

import pytest
from conftest import LABEL_CONFIG, ClientOf, Predict
from label_studio_sdk.label_interface.objects import PredictionValue
from pydantic import ValidationError

from label_studio_ml._internal import encoding
from label_studio_ml.model import LabelStudioMLBase
from label_studio_ml.response import ModelResponse

REGION = {
    "from_name": "a",
    "to_name": "b",
    "type": "choices",
    "value": {"choices": ["x"]},
    "extra": 1,
}


@pytest.mark.parametrize(
    "prediction",
    [
        {"result": []},
        {"result": [REGION], "score": 1},
        {"result": [REGION], "score": None, "model_version": "v", "cluster": 3},
        {"result": [REGION], "score": "0.5"},
        {"result": [], "score": True},
    ],
)
def test_reads_predictions_as_pydantic_would(prediction: Any) -> None:
    read = ModelResponse(
        predictions=[prediction, [prediction, PredictionValue(**prediction)]]
    ).predictions
    expected = PredictionValue(**prediction)
    assert read == [expected, [expected, expected]]
    assert type(read[0]) is PredictionValue
    assert type(read[0].score) is type(expected.score)
    assert read[0].model_fields_set == expected.model_fields_set
    assert read[0].model_dump() == expected.model_dump()


@pytest.mark.parametrize(
    "predictions",
    [None, [{}], [{"score": 1.0}], [{"result": [1]}], [{"result": [], "score": "a"}], [1]],
)
def test_refuses_what_is_no_prediction(predictions: Any) -> None:
    with pytest.raises(ValidationError):
        ModelResponse(predictions=predictions)


def test_a_model_may_change_its_regions_afterwards() -> None:
    region = dict(REGION)
    predictions: Any = [{"result": [region]}]
    response: Any = ModelResponse(predictions=predictions)
    region["extra"] = 2
    assert response.predictions[0].result[0]["extra"] == 1


def answer_of(
    client_of: ClientOf, predict: Predict, response: Any, label_config: str = LABEL_CONFIG
) -> Any:
    class Model(LabelStudioMLBase):
        def predict(
            self, tasks: list[dict[str, Any]], context: dict[str, Any] | None = None, **kwargs: Any
        ) -> Any:
            return response(self) if callable(response) else response

    answer = predict(client_of(Model), label_config=label_config)
    assert answer.status_code == 200, answer.text
    return answer.json["results"]


def test_regions_of_the_sdk_are_written_with_their_relations_beside_them(
    client_of: ClientOf, predict: Predict
) -> None:
    def respond(model: Any) -> ModelResponse:
        one, two = (
            model.label_interface.get_control("mood").label(label) for label in ("Happy", "Sad")
        )
        one.add_relation(two)
        return ModelResponse(predictions=[PredictionValue(result=[one, two], score=0.5)])

    (prediction,) = answer_of(client_of, predict, respond)
    one, two, relation = prediction["result"]
    assert (one["from_name"], one["to_name"], one["type"], one["value"]) == (
        "mood",
        "text",
        "choices",
        {"choices": ["Happy"]},
    )
    assert relation == {
        "type": "relation",
        "from_id": one["id"],
        "to_id": two["id"],
        "direction": "right",
    }


def test_a_version_is_never_null(client_of: ClientOf, predict: Predict) -> None:
    assert answer_of(client_of, predict, [{"result": [], "model_version": None}]) == [
        {"result": []}
    ]


@pytest.mark.parametrize("version", [None, "mine"])
@pytest.mark.parametrize("nested", [False, True])
def test_predictions_of_the_sdk_in_a_list_have_no_null_version_either(
    client_of: ClientOf, predict: Predict, version: str | None, nested: bool
) -> None:
    value = PredictionValue(result=[REGION], score=0.5, model_version=version)
    expected = {"result": [REGION], "score": 0.5, **({"model_version": version} if version else {})}
    answers: tuple[Any, ...] = ([value], {"predictions": [value]}, (value,))
    for answer in answers:
        if nested:
            answer = [[value, value]]
        written = answer_of(client_of, predict, answer)
        assert written == ([[expected, expected]] if nested else [expected])


class Attribute(LabelStudioMLBase):
    model_version = "mine"


class Property(LabelStudioMLBase):
    @property
    def model_version(self) -> str:
        return f"mine-{self.project_id}"


@pytest.mark.parametrize("base, version", [(Attribute, "mine"), (Property, "mine-1")])
def test_a_class_may_override_its_model_version(
    client_of: ClientOf, predict: Predict, base: type[LabelStudioMLBase], version: str | None
) -> None:
    class Model(base):  # type: ignore[misc, valid-type]
        def predict(
            self, tasks: list[dict[str, Any]], context: dict[str, Any] | None = None, **kwargs: Any
        ) -> Any:
            predictions: Any = [{"result": []}, PredictionValue(result=[], model_version="other")]
            return ModelResponse(predictions=predictions)

    client = client_of(Model)
    assert [entry["model_version"] for entry in predict(client).json["results"]] == [
        version,
        "other",
    ]
    setup = client.post("/setup", json={"project": "1.2", "schema": LABEL_CONFIG})
    assert setup.json == {"model_version": version}


def test_a_response_class_of_ones_own_is_asked_how_it_is_written(
    client_of: ClientOf, predict: Predict
) -> None:
    class Mine(ModelResponse):
        def model_dump(self, **kwargs: Any) -> dict[str, Any]:
            return {"predictions": ["mine"]}

    assert answer_of(client_of, predict, Mine(predictions=[])) == ["mine"]


class Scalar:
    dtype = "float32"

    def tolist(self) -> float:
        return 0.5


@pytest.mark.parametrize("with_orjson", [True, False])
@pytest.mark.parametrize(
    "value, written",
    [
        ({"b": 1, "a": {"d": 1, "c": 2}}, '{"a":{"c":2,"d":1},"b":1}'),
        ([float("nan"), float("inf"), 1.5, 1], "[null,null,1.5,1]"),
        (Scalar(), "0.5"),
        ((1, 2), "[1,2]"),
        ({1: "a"}, '{"1":"a"}'),
        (datetime.datetime(2024, 1, 2, 3, 4, 5), '"Tue, 02 Jan 2024 03:04:05 GMT"'),
        (datetime.date(2024, 1, 2), '"Tue, 02 Jan 2024 00:00:00 GMT"'),
        (decimal.Decimal("1.10"), '"1.10"'),
        (uuid.UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        (PredictionValue(result=[]), '{"model_version":null,"result":[],"score":0.0}'),
        (2**70, str(2**70)),
    ],
    ids=repr,
)
def test_values_are_written_as_json(
    monkeypatch: pytest.MonkeyPatch, with_orjson: bool, value: Any, written: str
) -> None:
    if with_orjson:
        pytest.importorskip("orjson")
    else:
        monkeypatch.setattr(encoding, "orjson", None)
    assert encoding.dumps(value).decode() == written


@pytest.mark.parametrize("with_orjson", [True, False])
def test_any_text_survives(monkeypatch: pytest.MonkeyPatch, with_orjson: bool) -> None:
    if with_orjson:
        pytest.importorskip("orjson")
    else:
        monkeypatch.setattr(encoding, "orjson", None)
    text = "ü\u2028\ud800"
    assert json.loads(encoding.dumps({"t": text})) == {"t": text}
    assert encoding.loads(b'{"t": "\\ud800", "n": NaN}')["t"] == "\ud800"
    with pytest.raises(ValueError):
        encoding.loads(b"{")
    with pytest.raises(TypeError, match="not JSON serializable"):
        encoding.dumps({"s": {1}})

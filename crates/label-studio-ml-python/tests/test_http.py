"""The HTTP layer, against the recorded behaviour of the Python original."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import ClientOf, Predict

from label_studio_ml._internal import http
from label_studio_ml.exceptions import AnswerException
from label_studio_ml.model import LabelStudioMLBase
from label_studio_ml.response import ModelResponse

VECTORS = Path(__file__).parents[3] / "vectors" / "core_http.json"
CASES = json.loads(VECTORS.read_text())["cases"]

# Cases in which the original is broken, with the status that is answered here.
FIXED = {
    "predict_bad_json": 400,
    "predict_null_params": 200,
    "predict_bad_xml": 400,
    "predict_error_echoes_query": 400,
    "setup_extra_params_object": 200,
    "setup_int_project": 200,
    "webhook_no_project": 400,
}


class P(LabelStudioMLBase):
    pass


def predicting(predictions: Any) -> type[LabelStudioMLBase]:
    class Model(LabelStudioMLBase):
        def predict(
            self, tasks: list[dict[str, Any]], context: dict[str, Any] | None = None, **kwargs: Any
        ) -> Any:
            if isinstance(predictions, Exception):
                raise predictions
            return predictions

    return Model


def fitting(result: Any) -> type[LabelStudioMLBase]:
    class Model(LabelStudioMLBase):
        def fit(self, event: str, data: dict[str, Any], **kwargs: Any) -> Any:
            if isinstance(result, Exception):
                raise result
            return result

    return Model


def responding(predictions: Any, **fields: Any) -> type[LabelStudioMLBase]:
    return predicting(ModelResponse(predictions=predictions, **fields))


MODELS: dict[str, type[LabelStudioMLBase]] = {
    "ret_none": predicting(None),
    "ret_list": predicting([{"result": []}]),
    "ret_dict_plain": predicting({"a": 1}),
    "ret_mr_min": responding([{"result": []}]),
    "ret_mr_version": responding(
        [{"result": []}, {"result": [], "model_version": "z"}], model_version="Q"
    ),
    "ret_mr_nested": responding([[{"result": []}], [{"result": [], "score": None}]]),
    "ret_exc_value": predicting(ValueError("boo")),
    "ret_exc_key": predicting(KeyError("k")),
    "fit_unserialisable": fitting({1}),
    "fit_index": fitting(IndexError("boo")),
    "fit_assert": fitting(AssertionError("as")),
    "fit_value": fitting(ValueError("vv")),
    "auth_ok": P,
    "auth_wrong": P,
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_answers_as_recorded(client_of: ClientOf, case: dict[str, Any]) -> None:
    auth = (
        {"basic_auth_user": "u", "basic_auth_pass": "p"} if case["name"].startswith("auth") else {}
    )
    client = client_of(MODELS.get(case["name"], LabelStudioMLBase), **auth)
    request = dict(case["request"])
    response = client.open(
        request["path"],
        method=request["method"],
        data=request.get("body") or (json.dumps(request["json"]) if "json" in request else b""),
        content_type="application/json",
        auth=request.get("basic_auth"),
    )
    expected = FIXED.get(case["name"], case["status"])
    assert response.status_code == expected, response.text
    if expected >= 400:
        assert response.json["status"] == expected
        assert response.json["detail"] and response.json["request_id"]
        assert "result" not in response.json, "no traceback for callers"
    elif case["name"] not in FIXED:
        assert response.json == case["json"]
    if response.status_code == 200:
        assert response.text == json.dumps(response.json, separators=(",", ":"), sort_keys=True)


@pytest.mark.parametrize(
    "path, body, content_type, status, detail",
    [
        ("/predict", "[]", "application/json", 400, "not a JSON object"),
        ("/predict", "{}", "text/plain", 415, "Content-Type: application/json"),
        ("/predict", '{"tasks": "a"}', "application/json", 400, "tasks is not a list"),
        ("/predict", '{"tasks": [{}, 1]}', "application/json", 400, "task 1 is not an object"),
        ("/predict", '{"params": []}', "application/json", 400, "params is not an object"),
        (
            "/predict",
            '{"params": {"tasks": []}}',
            "application/json",
            400,
            "params cannot hold tasks",
        ),
        ("/predict", '{"label_config": 1}', "application/json", 400, "label_config is not a text"),
        (
            "/predict",
            '{"label_config": ""}',
            "application/json",
            400,
            "label_config is no label config",
        ),
        ("/predict", '{"project": {}}', "application/json", 400, "project is not an id"),
        ("/setup", "{}", "application/json", 400, "no project"),
        (
            "/setup",
            '{"project": "1", "schema": "<View"}',
            "application/json",
            400,
            "schema is no label config",
        ),
        (
            "/webhook",
            '{"action": "START_TRAINING", "project": {}}',
            "application/json",
            400,
            "project.id",
        ),
    ],
)
def test_bad_input_is_named(
    client_of: ClientOf, path: str, body: str, content_type: str, status: int, detail: str
) -> None:
    response = client_of(LabelStudioMLBase).post(path, data=body, content_type=content_type)
    assert response.status_code == status
    assert detail in response.json["detail"]


def test_methods_are_those_of_the_original(client_of: ClientOf) -> None:
    client = client_of(LabelStudioMLBase)
    assert client.head("/health").data == b""
    assert client.get("/metrics").json == {}
    response = client.get("/setup")
    assert (response.status_code, response.headers["allow"]) == (405, "OPTIONS, POST")
    assert client.options("/predict").status_code == 200
    assert client.get("/health/").status_code == 404


def test_deletions_reach_fit_under_the_name_that_models_know(client_of: ClientOf) -> None:
    client = client_of(
        type("M", (LabelStudioMLBase,), {"fit": lambda self, event, data, **kwargs: [event, data]})
    )
    event = {"action": "ANNOTATIONS_DELETED", "project": {"id": 7}, "annotations": [{"id": 1}]}
    response = client.post("/webhook", json=event)
    assert response.status_code == 201
    event.pop("action")
    assert response.json == {"result": ["ANNOTATION_DELETED", event], "status": "ok"}


@pytest.mark.parametrize(
    "status, error", [(500, SystemExit(3)), (500, MemoryError()), (404, FileNotFoundError("f"))]
)
def test_whatever_a_model_raises_is_an_answer(
    client_of: ClientOf, status: int, error: BaseException
) -> None:
    class Model(LabelStudioMLBase):
        def fit(self, event: str, data: dict[str, Any], **kwargs: Any) -> None:
            raise error

    response = client_of(Model).post(
        "/webhook", json={"action": "START_TRAINING", "project": {"id": 1}}
    )
    assert response.status_code == status
    assert response.json["detail"]


def test_a_model_may_raise_its_own_answer(client_of: ClientOf, predict: Predict) -> None:
    client = client_of(predicting(AnswerException(409, "retrain first", {"since": 3})))
    response = predict(client)
    assert response.status_code == 409
    assert response.json == {
        "detail": "retrain first",
        "request": {},
        "result": {"since": 3},
        "status": 409,
    }


def test_a_developer_sees_where_it_failed(client_of: ClientOf, predict: Predict) -> None:
    client = client_of(predicting(ValueError("boo")))
    client.application.config["TESTING"] = True
    assert "ValueError: boo" in predict(client).json["result"]["traceback"]


def test_the_traceback_of_a_failed_request_is_printed_in_process(
    client_of: ClientOf, predict: Predict, capsys: pytest.CaptureFixture[str]
) -> None:
    assert predict(client_of(predicting(ValueError("boo")))).status_code == 500
    printed = capsys.readouterr().out
    assert "Traceback" in printed and "ValueError: boo" in printed


def test_predictions_that_are_accepted_at_once_are_a_creation_each(client_of: ClientOf) -> None:
    seen = []

    class Model(LabelStudioMLBase):
        def fit(self, event: str, data: dict[str, Any], **kwargs: Any) -> Any:
            seen.append((event, data["annotation"]["id"], data["task"] and data["task"]["id"]))
            if data["annotation"]["id"] == 2:
                raise ValueError("this one does not stop the others")
            return data["annotation"]["id"]

    body = {
        "action": "ANNOTATIONS_CREATED",
        "project": {"id": 7, "label_config": "<View/>"},
        "annotation": [{"id": 1, "task": 12}, {"id": 2, "task": 11}, {"id": 3, "task": 99}],
        "task": [{"id": 11}, {"id": 12}],
    }
    client = client_of(Model)
    response = client.post("/webhook", json=body)
    assert (response.status_code, response.json["result"]) == (201, 3)
    creation = "ANNOTATION_CREATED"
    assert seen == [(creation, 1, 12), (creation, 2, 11), (creation, 3, None)]
    response = client.post("/webhook", json={**body, "annotation": []})
    assert (response.status_code, response.json["result"]) == (201, None)
    assert len(seen) == 3


def test_a_result_of_fit_that_is_no_json_is_told(client_of: ClientOf) -> None:
    response = client_of(fitting({1})).post(
        "/webhook", json={"action": "START_TRAINING", "project": {"id": 1}}
    )
    assert response.status_code == 201
    assert response.json == {
        "error": "Object of type set is not JSON serializable",
        "status": "error",
    }


@pytest.mark.parametrize("testing", [False, True])
def test_fit_may_end_a_request_as_a_view_of_flask_may(client_of: ClientOf, testing: bool) -> None:
    flask = pytest.importorskip("flask")

    class Model(LabelStudioMLBase):
        def fit(self, event: str, data: dict[str, Any], **kwargs: Any) -> None:
            flask.abort(418, "no coffee")

    client = client_of(Model)
    client.application.config["TESTING"] = testing
    response = client.post("/webhook", json={"action": "START_TRAINING", "project": {"id": 1}})
    assert (response.status_code, response.json["detail"]) == (418, "no coffee")


def test_errors_of_fit_reach_the_test_that_caused_them(client_of: ClientOf) -> None:
    client = client_of(fitting(ValueError("boo")))
    client.application.config["TESTING"] = True
    with pytest.raises(ValueError, match="boo"):
        client.post("/webhook", json={"action": "START_TRAINING", "project": {"id": 1}})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer t"},
        {"Authorization": "Basic ?"},
        {"Authorization": "Basic dTp4"},
    ],
)
def test_without_the_password_nothing_is_told(client_of: ClientOf, headers: dict[str, str]) -> None:
    client = client_of(LabelStudioMLBase, basic_auth_user="ü", basic_auth_pass="pä")
    response = client.get("/health", headers=headers)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Basic realm="Login required"'
    assert client.get("/health", auth=("ü", "pä")).status_code == 200


def test_a_request_keeps_its_id(client_of: ClientOf, predict: Predict) -> None:
    response = client_of(predicting(ValueError("boo"))).post(
        "/predict", json={"tasks": []}, headers={"X-Request-ID": "r-17"}
    )
    assert response.json == {"detail": "ValueError: boo", "request_id": "r-17", "status": 500}


def test_a_body_that_is_too_large_or_too_deep_is_refused(
    client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(LabelStudioMLBase)
    deep = b'{"tasks": ' + b"[" * 100_000
    response = client.post("/predict", data=deep, content_type="application/json")
    assert response.status_code == 400, response.text
    monkeypatch.setattr(http, "MAX_BODY_BYTES", 1 << 20)
    response = client.post("/predict", data=b" " * ((1 << 20) + 1), content_type="application/json")
    assert response.status_code == 413
    assert "MAX_BODY_MB" in response.json["detail"]

"""What a model returned, as Label Studio accepts it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

_ONLY_DICTS = {dict}


def clean_result(entry: Any) -> Any:
    """Returns a prediction of a response, or several, as Label Studio accepts it."""
    if type(entry).__name__ == "PredictionValue":
        result, version = entry.result, entry.model_version
        # Nearly always so, and quickly seen.
        if version is not None and type(result) is list and {*map(type, result)} == _ONLY_DICTS:
            return {"model_version": version, "result": result, "score": entry.score}
    return _clean(_prediction(entry))


def _prediction(entry: Any) -> Any:
    if isinstance(entry, list):
        return [_prediction(prediction) for prediction in entry]
    kind = type(entry)
    if kind.__name__ != "PredictionValue" or entry.result is None:
        return entry.model_dump()
    relations = [
        region for region in entry.result if not isinstance(region, dict) and region.has_relations
    ]
    result = entry.result
    if relations:
        result = [
            *result,
            *(relation for region in relations for relation in region._dict_relations()),
        ]
    return {"model_version": entry.model_version, "result": result, "score": entry.score}


def clean_results(response: Any) -> Any:
    if response is None:
        return []
    if isinstance(response, dict):
        response = response.get("predictions", response)
    return (
        [_clean(entry) for entry in response] if isinstance(response, (list, tuple)) else response
    )


def _clean(prediction: Any) -> Any:
    """Returns a prediction as Label Studio accepts it: relations beside regions, and no null
    version.
    """
    if not isinstance(prediction, dict):
        if isinstance(prediction, (list, tuple)):
            return [_clean(entry) for entry in prediction]
        if not isinstance(prediction, BaseModel):
            return prediction
        prediction = _prediction(prediction)
    result = prediction.get("result")
    if (
        isinstance(result, list)
        and {*map(type, result)} != _ONLY_DICTS
        and any(isinstance(region, list) for region in result)
    ):
        prediction = {**prediction, "result": _flat(result)}
    if prediction.get("model_version", "") is None:
        prediction = {key: value for key, value in prediction.items() if key != "model_version"}
    return prediction


def _flat(result: list[Any]) -> list[Any]:
    return [
        entry for region in result for entry in (region if isinstance(region, list) else [region])
    ]

"""The response of a model."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Callable, Optional, Union

from pydantic import BaseModel, ConfigDict, field_validator

if TYPE_CHECKING:
    from label_studio_sdk.label_interface.objects import PredictionValue

    _PredictionValue = PredictionValue
    SingleTaskPredictions = Union[list[PredictionValue], PredictionValue]
    """One prediction for a task, or several."""
else:

    class _PredictionValue:
        """Placeholder for the class of the Label Studio SDK, which is imported for the first
        response.
        """

        @classmethod
        def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
            return handler(_prediction_value())

    def __getattr__(name: str) -> Any:
        if name == "PredictionValue":
            return _prediction_value()
        if name == "SingleTaskPredictions":
            return Union[list[_prediction_value()], _prediction_value()]
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class ModelResponse(BaseModel):
    """The predictions of a model, one entry per task, and its version."""

    model_config = ConfigDict(protected_namespaces=(), defer_build=True)

    model_version: Optional[str] = None
    predictions: list[Union[list[_PredictionValue], _PredictionValue]]

    @field_validator("predictions", mode="wrap")
    @classmethod
    def _read_predictions(cls, value: Any, validate: Callable[[Any], Any]) -> Any:
        # Nearly all predictions are plain and valid; pydantic would try to build a Region from each
        # of their regions.
        if type(value) is list:
            predictions = _plain_all(value, _plain)
            if predictions is not None:
                return predictions
        return validate(value)

    def has_model_version(self) -> bool:
        """Returns whether the response as a whole has a version."""
        return bool(self.model_version)

    def update_predictions_version(self) -> None:
        """Gives each prediction without a version the version of the response."""
        for entry in self.predictions:
            for prediction in entry if isinstance(entry, list) else [entry]:
                if not prediction.model_version:
                    prediction.model_version = self.model_version

    def set_version(self, version: str) -> None:
        """Sets the version of the response, and of each prediction that has none."""
        self.model_version = version
        self.update_predictions_version()


_sdk_class: Any = None


def _prediction_value() -> Any:
    global _sdk_class
    if _sdk_class is None:
        from label_studio_sdk.label_interface import objects

        _sdk_class = objects.PredictionValue
    return _sdk_class


def _plain_all(entries: list[Any], plain: Callable[[Any], Any]) -> Optional[list[Any]]:
    predictions = []
    for entry in entries:
        prediction = plain(entry)
        if prediction is None:
            return None
        predictions.append(prediction)
    return predictions


def _plain(entry: Any) -> Any:
    """Returns one or several predictions that need no conversion; None if pydantic must validate
    them.
    """
    return _plain_all(entry, _plain_one) if type(entry) is list else _plain_one(entry)


def _plain_one(prediction: Any) -> Any:
    prediction_value = _prediction_value()
    if type(prediction) is prediction_value:
        return prediction
    if type(prediction) is not dict:
        return None
    result = prediction.get("result")
    if type(result) is not list:
        return None
    for region in result:
        if type(region) is not dict:
            return None
        for key in region:
            if type(key) is not str:
                return None
    score = prediction.get("score", 0.0)
    if type(score) is int:
        score = float(score)
    elif score is not None and type(score) is not float:
        return None
    values = {
        "model_version": prediction.get("model_version"),
        "score": score,
        "result": [dict(region) for region in result],
    }
    return _construct(prediction_value, values, _FIELDS & prediction.keys())


_FIELDS = {"model_version", "score", "result"}

_set: Callable[[Any, str, Any], None] = object.__setattr__


def _construct(kind: Any, values: dict[str, Any], given: set[str]) -> Any:
    """Does what `model_construct` does for a class with these fields only, in a quarter of the
    time.
    """
    if not _has_only_our_fields(kind):
        return kind.model_construct(given, **values)
    value = kind.__new__(kind)
    _set(value, "__dict__", values)
    _set(value, "__pydantic_fields_set__", given)
    _set(value, "__pydantic_extra__", None)
    _set(value, "__pydantic_private__", None)
    return value


@functools.cache
def _has_only_our_fields(kind: Any) -> bool:
    fields = kind.model_fields
    return (
        list(fields) == ["model_version", "score", "result"]
        and all(field.alias is None and field.validation_alias is None for field in fields.values())
        and kind.model_config.get("extra") != "allow"
        and not kind.__private_attributes__
        and kind.model_post_init is BaseModel.model_post_init
    )

"""What a model answers with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, List, Optional, Union

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from label_studio_sdk.label_interface.objects import PredictionValue
else:

    class PredictionValue:
        """Stands for the class of the Label Studio SDK, which is imported when the first response is made."""

        @classmethod
        def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
            from label_studio_sdk.label_interface.objects import PredictionValue as Real

            return handler(Real)


SingleTaskPredictions = Union[List[PredictionValue], PredictionValue]
"""One prediction for a task, or several."""


class ModelResponse(BaseModel):
    """The predictions of a model, one entry per task, and the version that made them."""

    model_config = ConfigDict(protected_namespaces=(), defer_build=True)

    model_version: Optional[str] = None
    predictions: List[SingleTaskPredictions]

    def has_model_version(self) -> bool:
        """Tells whether the response as a whole has a version."""
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
